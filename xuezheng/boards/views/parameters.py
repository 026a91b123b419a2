"""Policy parameters: what is in force, how sure we are, and the bureau's own values."""

import json
import math
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from xuezheng.boards.access import Permission
from xuezheng.boards.context import bureau
from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.reference.models import Certainty, Parameter
from xuezheng.kernel.reference.parameters import value_problem
from xuezheng.kernel.ui.forms import DateInput


def _same_shape(value: Any, shipped: Any) -> bool:
    """Whether a value is written as the shipped one: whole numbers, numbers, texts, the same keys."""
    if isinstance(value, bool) or isinstance(shipped, bool):
        return type(value) is type(shipped)
    if isinstance(shipped, float):
        return isinstance(value, int | float) and math.isfinite(value)
    if isinstance(shipped, dict):
        return (
            isinstance(value, dict)
            and set(value) == set(shipped)
            and all(_same_shape(value[key], shipped[key]) for key in shipped)
        )
    return type(value) is type(shipped)


class OwnValueForm(forms.Form):
    """The bureau's own value from a day on, with its source and reason."""

    value = forms.CharField(label=gettext_lazy("取值"), widget=forms.Textarea({"rows": 3}))
    valid_from = forms.DateField(label=gettext_lazy("起始日"), widget=DateInput)
    source = forms.CharField(
        label=gettext_lazy("依据"),
        max_length=300,
        help_text=gettext_lazy("文件名称、文号或会议纪要编号"),
    )
    reason = forms.CharField(label=gettext_lazy("调整理由"), max_length=300)

    def __init__(self, *args: Any, shipped: Parameter, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.shipped = shipped
        if isinstance(shipped.value, int | float):
            self.fields["value"].widget = forms.NumberInput({"step": "any"})

    def clean_value(self) -> Any:
        """A value written as the shipped one, against which its system says nothing."""
        text = self.cleaned_data["value"]
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            raise ValidationError(_("格式不对，请照原来的写法填写。")) from None
        if not _same_shape(value, self.shipped.value):
            raise ValidationError(_("格式不对，请照原来的写法填写。"))
        if isinstance(value, int | float) and value < 0:
            raise ValidationError(_("不能小于零。"))
        if isinstance(value, list) and any(
            not isinstance(entry, dict) or set(entry) != set(self.shipped.value[0])
            for entry in value
        ):
            raise ValidationError(_("每一项须与原来的写法一致。"))
        if problem := value_problem(self.shipped.key, value):
            raise ValidationError(problem)
        return value


@require_GET
@requires(Permission.PARAMETERS)
def parameter_list(request: HttpRequest) -> HttpResponse:
    """All parameters in force today, the unconfirmed first."""
    today = timezone.localdate()
    top = bureau()
    rows = Parameter.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gte=today),
        valid_from__lte=today,
        owner__in=["", top.code if top else ""],
    ).order_by("key", "owner", "valid_from")
    in_force = {row.key: row for row in rows}
    ordered = sorted(in_force.values(), key=lambda r: (r.certainty != Certainty.UNCONFIRMED, r.key))
    return render(request, "boards/parameter_list.html", {"rows": ordered})


@require_http_methods(["GET", "POST"])
@requires(Permission.PARAMETERS)
def parameter_edit(request: HttpRequest, key: str) -> HttpResponse:
    """Set the bureau's own value; the shipped one stays beneath it."""
    top = bureau()
    shipped = Parameter.objects.filter(key=key, owner="").order_by("-valid_from").first()
    if shipped is None or top is None:
        raise Http404
    initial = {
        "value": json.dumps(shipped.value, ensure_ascii=False),
        "valid_from": timezone.localdate(),
    }
    form = OwnValueForm(request.POST or None, shipped=shipped, initial=initial)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        Parameter.objects.update_or_create(
            key=key,
            owner=top.code,
            valid_from=data["valid_from"],
            defaults={
                "value": data["value"],
                "label": shipped.label,
                "label_en": shipped.label_en,
                "unit": shipped.unit,
                "source": data["source"],
                "certainty": Certainty.LOCAL,
                "reason": data["reason"],
            },
        )
        record(
            "parameter.set",
            by=request.actor,
            post=request.actor.post_for(Permission.PARAMETERS, top.id),
            organisation_id=top.id,
            object_type="parameter",
            object_id=key,
            reason=data["reason"],
            detail={"value": data["value"], "from": data["valid_from"].isoformat()},
        )
        messages.success(request, _("已保存。"))
        return redirect("parameter_list")
    history = Parameter.objects.filter(key=key).order_by("-valid_from")
    label = shipped.label_en if get_language() == "en" else shipped.label
    context = {
        "title": label,
        "lead": shipped.unit,
        "form": form,
        "submit": _("保存本局取值"),
        "cancel_url": reverse("parameter_list"),
        "history": history,
    }
    status = 422 if form.is_bound else 200
    return render(request, "boards/parameter_edit.html", context, status=status)
