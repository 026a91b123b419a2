"""The trail, for auditors: who did what, under which post, when; and whether the seals hold."""

import django_filters as filters
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from xuezheng.boards.access import Permission
from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.audit.models import Entry, Seal
from xuezheng.kernel.ui.forms import DateInput
from xuezheng.kernel.ui.lists import list_context
from xuezheng.kernel.ui.words import WordsFilter


class EntryFilter(filters.FilterSet):
    """By user name, action, object and day."""

    who = WordsFilter(label=gettext_lazy("用户名"))
    action = filters.CharFilter(
        label=gettext_lazy("动作"), field_name="action", lookup_expr="icontains"
    )
    number = filters.CharFilter(label=gettext_lazy("对象编号"), field_name="object_id")
    since = filters.DateFilter(
        label=gettext_lazy("日期起"),
        field_name="at",
        lookup_expr="date__gte",
        widget=DateInput,
    )
    until = filters.DateFilter(
        label=gettext_lazy("日期止"),
        field_name="at",
        lookup_expr="date__lte",
        widget=DateInput,
    )

    class Meta:
        model = Entry
        fields = ()

    def by_words(self, rows: QuerySet, _name: str, words: str) -> QuerySet:
        """Entries of the user of that name."""
        return rows.filter(user__username__iexact=words)


@require_GET
@requires(Permission.AUDIT)
def audit_list(request: HttpRequest) -> HttpResponse:
    """Newest first."""
    rows = Entry.objects.select_related("user", "post", "organisation", "seal").order_by("-id")
    filterset = EntryFilter(request.GET, queryset=rows, request=request)
    context = list_context(request, filterset, title=_("审计记录"))
    context["head"] = Seal.objects.order_by("-id").first()
    return render(request, "boards/audit_list.html", context)
