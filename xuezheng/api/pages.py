"""Pages of the security officer: programs that may call, letting one in, closing its access."""

import django_filters as filters
from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from xuezheng.api.access import Permission
from xuezheng.api.models import Client, Scope, add_client, revoke_client
from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.audit.trail import record_read
from xuezheng.kernel.exchange.workbook import Column, list_response
from xuezheng.kernel.ui.forms import SearchInput
from xuezheng.kernel.ui.lists import export_url, list_context
from xuezheng.kernel.ui.steps import attempt

STATES = (
    ("live", gettext_lazy("在用")),
    ("expired", gettext_lazy("已到期")),
    ("revoked", gettext_lazy("已停用")),
)
#: Terms in days that are offered; a token does not live for ever.
TERMS = ((90, gettext_lazy("90天")), (180, gettext_lazy("180天")), (365, gettext_lazy("一年")))


class ReasonForm(forms.Form):
    """Why: it goes into the trail."""

    reason = forms.CharField(
        label=gettext_lazy("理由"),
        min_length=4,
        max_length=200,
        widget=forms.Textarea({"rows": 2}),
        help_text=gettext_lazy("记入审计；写依据或申请单编号，不写证件号、电话。"),
    )


class ClientForm(ReasonForm):
    """A program, what it may do, for how long."""

    field_order = ("name", "scopes", "days", "reason")
    name = forms.SlugField(
        label=gettext_lazy("名称"),
        max_length=20,
        help_text=gettext_lazy("小写字母、数字和短横线，如 province-portal；会写进审计。"),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("权限"), choices=Scope, widget=forms.CheckboxSelectMultiple
    )
    days = forms.TypedChoiceField(label=gettext_lazy("有效期"), choices=TERMS, coerce=int)

    def clean_name(self) -> str:
        """One live client a name."""
        name = self.cleaned_data["name"]
        if Client.objects.filter(name=name, revoked_at__isnull=True).exists():
            raise ValidationError(_("这个名称已有客户端；要换令牌，请先停用原来的。"))
        return name


class ClientFilter(filters.FilterSet):
    """By name and by whether they may still call."""

    q = filters.CharFilter(
        label=gettext_lazy("名称"), field_name="name", lookup_expr="icontains", widget=SearchInput
    )
    state = filters.ChoiceFilter(label=gettext_lazy("状态"), choices=STATES, method="in_state")

    class Meta:
        model = Client
        fields = ()

    def in_state(self, rows: QuerySet, _name: str, value: str) -> QuerySet:
        """Live, expired or revoked today."""
        return rows.in_state(value, timezone.localdate())


@require_GET
@requires(Permission.CLIENTS)
def client_list(request: HttpRequest) -> HttpResponse:
    """Every program that was ever let in, those in use and those closed."""
    filterset = ClientFilter(request.GET, queryset=Client.objects.all(), request=request)
    if request.GET.get("export"):
        columns = [
            Column(_("名称"), 20),
            Column(_("权限"), 50),
            Column(_("开通时间"), 18),
            Column(_("有效期至"), 12),
            Column(_("停用时间"), 18),
        ]
        cells = (
            (
                row.name,
                row.scope_labels,
                _minute(row.made_at),
                row.expires_on,
                _minute(row.revoked_at),
            )
            for row in filterset.qs
        )
        record_read(request, "client.export", object_type="client")
        return list_response(request, _("数据接口"), columns, cells)
    context = list_context(request, filterset, title=_("数据接口"))
    context |= {
        "lead": _("可以调用接口的程序。令牌只在开通时显示一次，系统里只存摘要。"),
        "chips": [("", _("全部")), *STATES],
        "export_url": export_url(request),
        "empty_title": "" if context["active_filters"] else _("还没有程序接入"),
    }
    return render(request, "api/client_list.html", context)


def _minute(moment) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M}" if moment else ""


@require_http_methods(["GET", "POST"])
@requires(Permission.CLIENTS)
def client_add(request: HttpRequest) -> HttpResponse:
    """Let a program in; its token is on the answer and on no page afterwards."""
    form = ClientForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = attempt(form, lambda: add_client(by=request.actor, **form.cleaned_data))
        if made:
            client, token = made
            answer = render(request, "api/client_token.html", {"client": client, "token": token})
            answer.headers["Cache-Control"] = "no-store"
            return answer
    context = {
        "form": form,
        "title": _("接入程序"),
        "lead": _("只给用得到的权限。程序只看得到自己提交的登记。"),
        "submit": _("开通，生成令牌"),
        "cancel_url": reverse("client_list"),
    }
    return render(request, "api/client_add.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@requires(Permission.CLIENTS)
def client_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Close a program's access, at once."""
    client = get_object_or_404(Client, pk=pk, revoked_at__isnull=True)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        revoke_client(name=client.name, by=request.actor, **form.cleaned_data)
        messages.success(request, _("已停用，这个令牌从现在起无效。"))
        return redirect("client_list")
    context = {
        "title": _("停用接入？"),
        "lead": client.name,
        "effects": [
            _("令牌立即失效，不能恢复；要再接入须重新开通。"),
            _("已经提交的登记不受影响。"),
        ],
        "form": form,
        "submit": _("停用接入"),
        "danger": True,
        "cancel_url": reverse("client_list"),
    }
    return render(request, "ui/confirm.html", context, status=422 if form.is_bound else 200)
