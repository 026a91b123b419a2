"""Forms of pupils, guardians and staff."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation, User
from xuezheng.kernel.ui.forms import DateInput
from xuezheng.registry import selectors
from xuezheng.registry.access import Permission
from xuezheng.registry.forms.base import OnDayForm, PersonForm
from xuezheng.registry.lists import chosen_lazily
from xuezheng.registry.models import (
    Dwelling,
    Guardianship,
    Placement,
    Pupil,
    Residence,
    SchoolClass,
    StaffMember,
)
from xuezheng.registry.services import guardians, pupils, staff
from xuezheng.registry.services.placing import LEAVING

UNSAID = gettext_lazy("未填")


def running_classes(organisation_ids: Any) -> Any:
    """Classes that run today at the given sites."""
    rows = SchoolClass.objects.current(timezone.localdate())
    return rows.filter(organisation_id__in=organisation_ids).select_related("organisation")


class ClassChoice(forms.ModelChoiceField):
    """Classes, with the school's name where there are several schools."""

    with_school = False

    def label_from_instance(self, obj: SchoolClass) -> str:
        """`东澳小学 三年级（2）班`."""
        return f"{obj.organisation} {obj}" if self.with_school else str(obj)


class PupilForm(PersonForm):
    """A pupil.  When entering one also the class and the first day."""

    sealed = ("student_number",)
    editable = pupils.EDITABLE

    student_number = forms.CharField(
        label=gettext_lazy("学籍号"), max_length=20, required=False,
        help_text=gettext_lazy("还没有的先不填。"),
    )  # fmt: skip
    former_name = forms.CharField(label=gettext_lazy("曾用名"), max_length=60, required=False)
    ethnicity = forms.ChoiceField(
        label=gettext_lazy("民族"),
        required=False,
        choices=chosen_lazily("ethnicity", blank=UNSAID),
    )
    nationality = forms.ChoiceField(
        label=gettext_lazy("国籍或地区"), choices=chosen_lazily("nationality"), initial="CHN"
    )
    register_division = forms.RegexField(
        r"^\d{6}$",
        label=gettext_lazy("户籍区划"),
        required=False,
        help_text=gettext_lazy("6位行政区划代码"),
        error_messages={"invalid": gettext_lazy("应为6位数字。")},
    )
    boarding = forms.ChoiceField(
        label=gettext_lazy("就读方式"), choices=chosen_lazily("boarding"), initial="1"
    )
    entered_on = forms.DateField(label=gettext_lazy("入学日期"), required=False, widget=DateInput)
    organisation = forms.ModelChoiceField(Organisation.objects.none(), label=gettext_lazy("学校"))
    school_class = ClassChoice(
        SchoolClass.objects.none(), label=gettext_lazy("班级"), required=False
    )
    on = forms.DateField(
        label=gettext_lazy("就读起始日"), widget=DateInput, initial=timezone.localdate
    )
    field_order = (
        "organisation", "school_class", "on", "name", "id_kind", "id_number", "born_on", "sex",
        "student_number",
    )  # fmt: skip

    def __init__(
        self,
        *args: Any,
        actor: Actor,
        instance: Pupil | None = None,
        site: Organisation | None = None,
        **kwargs: Any,
    ):
        super().__init__(*args, actor=actor, instance=instance, **kwargs)
        if site is None:
            for name in ("organisation", "school_class", "on"):
                del self.fields[name]
            return
        del self.fields["version"]
        del self.fields["former_name"]
        _fix_place(self, site)


def _fix_place(form: forms.Form, site: Organisation) -> None:
    """The school is settled before the form opens; its running classes are offered."""
    form.fields["organisation"].queryset = Organisation.objects.filter(pk=site.pk)
    form.fields["organisation"].initial = site
    form.fields["organisation"].widget = forms.HiddenInput()
    form.fields["school_class"].queryset = running_classes([site.pk])


class SiteChoiceForm(forms.Form):
    """Which school, before a form that depends on it."""

    site = forms.ModelChoiceField(Organisation.objects.none(), label=gettext_lazy("学校"))

    def __init__(self, *args: Any, sites: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["site"].queryset = sites


class TakeInForm(OnDayForm):
    """Where a pupil goes, from when."""

    organisation = forms.ModelChoiceField(
        Organisation.objects.none(), label=gettext_lazy("转入学校")
    )
    school_class = ClassChoice(
        SchoolClass.objects.none(), label=gettext_lazy("班级"), required=False
    )
    field_order = ("organisation", "school_class", "on", "reason")

    def __init__(self, *args: Any, site: Organisation, **kwargs: Any):
        super().__init__(*args, **kwargs)
        _fix_place(self, site)


class ChangeClassForm(OnDayForm):
    """Another class of the same school."""

    school_class = ClassChoice(SchoolClass.objects.none(), label=gettext_lazy("调到班级"))
    field_order = ("school_class", "on", "reason")

    def __init__(self, *args: Any, pupil: Pupil, **kwargs: Any):
        super().__init__(*args, **kwargs)
        rows = running_classes([pupil.organisation_id]).exclude(pk=pupil.school_class_id)
        self.fields["school_class"].queryset = rows


class LeaveForm(OnDayForm):
    """How and when a pupil leaves."""

    exit_code = forms.ChoiceField(
        label=gettext_lazy("离校方式"),
        # Nothing is chosen beforehand: a careless Enter must not send a child away.
        choices=chosen_lazily("change", only=tuple(LEAVING), blank=gettext_lazy("请选择")),
    )
    field_order = ("exit_code", "on", "reason")

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["on"].label = _("最后一天")


class CorrectForm(forms.Form):
    """Days and class of one placement put right."""

    school_class = ClassChoice(
        SchoolClass.objects.none(), label=gettext_lazy("班级"), required=False
    )
    valid_from = forms.DateField(label=gettext_lazy("起始日"), widget=DateInput)
    valid_to = forms.DateField(label=gettext_lazy("截止日"), widget=DateInput, required=False)
    reason = forms.CharField(
        label=gettext_lazy("更正理由"), max_length=200, widget=forms.Textarea({"rows": 2})
    )

    def __init__(self, *args: Any, placement: Placement, **kwargs: Any):
        super().__init__(*args, **kwargs)
        classes = SchoolClass.objects.filter(organisation_id=placement.organisation_id)
        self.fields["school_class"].queryset = classes
        for name in ("school_class", "valid_from", "valid_to"):
            self.fields[name].initial = getattr(placement, name)
        if placement.valid_to is None:
            del self.fields["valid_to"]


class GuardianForm(PersonForm):
    """A guardian and the relation to the pupil."""

    sealed = ("phone",)
    editable = guardians.EDITABLE
    number_required = False

    phone = forms.CharField(label=gettext_lazy("手机号码"), max_length=20)
    relation = forms.ChoiceField(
        label=gettext_lazy("与学生的关系"), choices=Guardianship.Relation.choices
    )
    main = forms.BooleanField(label=gettext_lazy("第一监护人"), required=False)
    field_order = ("name", "relation", "phone", "main", "id_kind", "id_number", "born_on", "sex")

    def __init__(self, *args: Any, actor: Actor, held: Guardianship | None = None, **kwargs: Any):
        super().__init__(*args, actor=actor, instance=held and held.guardian, **kwargs)
        if held is None:
            del self.fields["version"]
        else:
            self.fields["relation"].initial, self.fields["main"].initial = held.relation, held.main


class ResidenceForm(forms.Form):
    """Where a pupil is registered or lives, chosen from what is registered."""

    kind = forms.ChoiceField(label=gettext_lazy("类别"), choices=Residence.Kind.choices)
    dwelling = forms.ModelChoiceField(Dwelling.objects.none(), label=gettext_lazy("门牌"))
    on = forms.DateField(label=gettext_lazy("起始日"), widget=DateInput, initial=timezone.localdate)

    def __init__(self, *args: Any, dwellings: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["dwelling"].queryset = dwellings


class StaffForm(PersonForm):
    """A member of staff.  When entering one also the site and the first day."""

    sealed = ("phone",)
    editable = staff.EDITABLE

    work_number = forms.CharField(label=gettext_lazy("工号"), max_length=20, required=False)
    phone = forms.CharField(label=gettext_lazy("手机号码"), max_length=20, required=False)
    category = forms.ChoiceField(
        label=gettext_lazy("人员类别"), choices=StaffMember.Category.choices
    )
    education = forms.ChoiceField(
        label=gettext_lazy("学历"),
        required=False,
        choices=chosen_lazily("education", blank=UNSAID),
    )
    subject = forms.CharField(label=gettext_lazy("任教学科"), max_length=20, required=False)
    employed_on = forms.DateField(
        label=gettext_lazy("参加工作日"), required=False, widget=DateInput
    )
    organisation = forms.ModelChoiceField(Organisation.objects.none(), label=gettext_lazy("单位"))
    established = forms.BooleanField(label=gettext_lazy("在编"), required=False, initial=True)
    on = forms.DateField(
        label=gettext_lazy("任职起始日"), widget=DateInput, initial=timezone.localdate
    )
    field_order = ("organisation", "on", "established")

    def __init__(
        self, *args: Any, actor: Actor, instance: StaffMember | None = None, **kwargs: Any
    ):
        super().__init__(*args, actor=actor, instance=instance, **kwargs)
        if instance is not None:
            for name in ("organisation", "established", "on"):
                del self.fields[name]
            return
        del self.fields["version"]
        sites = selectors.open_sites(actor, Permission.STAFF_EDIT)
        self.fields["organisation"].queryset = sites
        only = list(sites[:2])
        if len(only) == 1:
            self.fields["organisation"].initial = only[0]


class EmployForm(forms.Form):
    """One more employment."""

    organisation = forms.ModelChoiceField(Organisation.objects.none(), label=gettext_lazy("单位"))
    on = forms.DateField(label=gettext_lazy("起始日"), widget=DateInput, initial=timezone.localdate)
    established = forms.BooleanField(label=gettext_lazy("在编"), required=False, initial=True)
    main = forms.BooleanField(label=gettext_lazy("作为主要任职"), required=False)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        sites = selectors.open_sites(actor, Permission.STAFF_EDIT)
        self.fields["organisation"].queryset = sites


class AccountForm(forms.Form):
    """The account that a member of staff signs in with."""

    username = forms.CharField(
        label=gettext_lazy("用户名"),
        max_length=64,
        required=False,
        help_text=gettext_lazy("留空表示取消关联。"),
    )

    def clean_username(self) -> User | None:
        """The user of that name.  A name that does not exist is said to be so."""
        name = self.cleaned_data["username"].strip()
        if not name:
            return None
        user = User.objects.filter(username=name).first()
        if user is None:
            raise forms.ValidationError(_("没有这个用户名。"))
        return user
