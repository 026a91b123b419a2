"""What the forms of this storey share: identity fields, days, reasons, scoped choices."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.ui.forms import DateInput
from xuezheng.registry.codes import CITIZEN_ID, masked, masked_phone
from xuezheng.registry.models.people import IdKind, Sex

#: Kind of document of somebody who has none.
NO_DOCUMENT = IdKind.OTHER.value
ID_KINDS = [
    (value, gettext_lazy("暂无证件，或其他证件") if value == NO_DOCUMENT else label)
    for value, label in IdKind.choices
]


class OnDayForm(forms.Form):
    """A day, today by default, and a reason."""

    on = forms.DateField(label=gettext_lazy("生效日"), widget=DateInput, initial=timezone.localdate)
    reason = forms.CharField(
        label=gettext_lazy("理由"), required=False, max_length=200,
        widget=forms.Textarea({"rows": 2}),
    )  # fmt: skip

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.actor = actor


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(
        label=gettext_lazy("理由"), max_length=200, widget=forms.Textarea({"rows": 2})
    )


class RevealForm(forms.Form):
    """Which number, and why it must be seen."""

    field = forms.CharField(widget=forms.HiddenInput)
    reason = forms.CharField(label=gettext_lazy("查看理由"), max_length=200)


class PersonForm(forms.Form):
    """What identifies anybody.

    A citizen number says birth and sex: they are asked only of people without one.  When editing,
    numbers stand masked in the help text, and an empty field leaves them as they are.
    """

    name = forms.CharField(label=gettext_lazy("姓名"), max_length=60)
    id_kind = forms.ChoiceField(
        label=gettext_lazy("证件类型"), choices=ID_KINDS, initial=CITIZEN_ID
    )
    id_number = forms.CharField(
        label=gettext_lazy("证件号码"),
        required=False,
        max_length=40,
        help_text=gettext_lazy("没有证件的不填，证件类型选“暂无证件”。"),
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    born_on = forms.DateField(
        label=gettext_lazy("出生日期"),
        required=False,
        widget=DateInput,
        help_text=gettext_lazy("有身份证号的不用填，由号码得出。"),
    )
    sex = forms.ChoiceField(
        label=gettext_lazy("性别"),
        required=False,
        choices=[("", gettext_lazy("由身份证号得出")), *Sex.choices],
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    #: Sealed fields beside the identity number, that keep their value when left empty.
    sealed: tuple[str, ...] = ()
    #: Fields that the service takes.
    editable: tuple[str, ...] = ()
    number_required = True

    def __init__(self, *args: Any, actor: Actor, instance: Any = None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.actor, self.instance = actor, instance
        if instance is None:
            return
        for name in self.fields:
            if name in ("id_number", *self.sealed) or not hasattr(instance, name):
                continue
            self.fields[name].initial = getattr(instance, name)
        for name in ("id_number", *self.sealed):
            present = getattr(instance, name)
            if present:
                shown = masked_phone(present) if name == "phone" else masked(present)
                self.fields[name].help_text = _("现为 %s，留空表示不改。") % shown
                self.fields[name].required = False

    def clean(self) -> dict[str, Any]:
        """A citizen has a number; who has none says so in the kind of document."""
        data = super().clean()
        kind = data.get("id_kind")
        kept = self.instance is not None and kind == self.instance.id_kind
        missing = not data.get("id_number") and not (kept and self.instance.id_number)
        if self.number_required and missing and kind != NO_DOCUMENT:
            raise ValidationError(
                {"id_number": _("请填写证件号码；没有证件的，证件类型选“暂无证件”。")}
            )
        if missing and kind == NO_DOCUMENT and not data.get("born_on") and self.number_required:
            raise ValidationError({"born_on": _("没有证件时请填写出生日期。")})
        return data

    def values(self) -> dict[str, Any]:
        """The fields for the service; what was left empty keeps its sealed value."""
        data = {name: self.cleaned_data.get(name) for name in self.editable if name in self.fields}
        data["sex"] = data.get("sex") or Sex.UNKNOWN.value
        instance = self.instance
        if instance is not None:
            same_kind = data["id_kind"] == instance.id_kind
            typed = bool(data["id_number"])
            if not typed and same_kind:
                data["id_number"] = instance.id_number
            for name in self.sealed:
                data[name] = data[name] or getattr(instance, name)
            if typed and data["id_kind"] == CITIZEN_ID:
                # The new number speaks for what was not touched.
                if "born_on" not in self.changed_data:
                    data["born_on"] = None
                if "sex" not in self.changed_data:
                    data["sex"] = Sex.UNKNOWN.value
        return data
