"""Forms of sites, successions, years, classes, addresses."""

import uuid
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.ui.forms import DateInput, NumberInput
from xuezheng.registry import selectors
from xuezheng.registry.access import Permission
from xuezheng.registry.models import (
    Community,
    Dwelling,
    Pupil,
    SchoolClass,
    SchoolYear,
    SiteProfile,
    Succession,
)
from xuezheng.registry.models.places import Locality, Ownership, Stage
from xuezheng.registry.organisations import SITE_KINDS
from xuezheng.registry.services.years import Span, next_span


class SiteForm(forms.Form):
    """A site's codes and what is known of it.  When creating also its town and first day."""

    code = forms.CharField(
        label=gettext_lazy("单位代码"),
        max_length=32,
        help_text=gettext_lazy("系统内的唯一代码：有学校标识码的就填标识码。建好后不能改。"),
    )
    name = forms.CharField(label=gettext_lazy("单位名称"), max_length=100)
    short_name = forms.CharField(label=gettext_lazy("简称"), max_length=40, required=False)
    name_en = forms.CharField(label=gettext_lazy("英文名称"), max_length=150, required=False)
    kind = forms.ChoiceField(
        label=gettext_lazy("类别"), choices=[(kind.value, kind.label) for kind in SITE_KINDS]
    )
    town = forms.ModelChoiceField(Organisation.objects.none(), label=gettext_lazy("所属镇街"))
    opened = forms.DateField(
        label=gettext_lazy("设立日"), widget=DateInput, initial=timezone.localdate
    )
    school_code = forms.CharField(
        label=gettext_lazy("学校标识码"),
        max_length=10,
        required=False,
        help_text=gettext_lazy("10位数字"),
    )
    credit_code = forms.CharField(
        label=gettext_lazy("统一社会信用代码"),
        max_length=18,
        required=False,
        help_text=gettext_lazy("18位，末位会校验"),
    )
    ownership = forms.ChoiceField(label=gettext_lazy("办学性质"), choices=Ownership.choices)
    locality = forms.ChoiceField(label=gettext_lazy("城乡类型"), choices=Locality.choices)
    island = forms.BooleanField(label=gettext_lazy("在海岛上"), required=False)
    places = forms.IntegerField(
        label=gettext_lazy("核定学位"), min_value=0, max_value=20000, required=False,
        widget=NumberInput,
    )  # fmt: skip
    address = forms.CharField(label=gettext_lazy("地址"), max_length=180, required=False)
    phone = forms.CharField(label=gettext_lazy("公开电话"), max_length=40, required=False)
    version = forms.IntegerField(widget=forms.HiddenInput, initial=0)

    def __init__(
        self,
        *args: Any,
        actor: Actor,
        site: Organisation | None = None,
        profile: SiteProfile | None = None,
        **kwargs: Any,
    ):
        super().__init__(*args, **kwargs)
        self.fields["town"].queryset = selectors.towns(actor)
        if site is None:
            return
        for name in ("code", "town", "opened"):
            del self.fields[name]
        for name, form_field in self.fields.items():
            source = site if name in ("name", "short_name", "name_en", "kind") else profile
            if source is not None and hasattr(source, name):
                form_field.initial = getattr(source, name)

    def values(self) -> dict[str, Any]:
        """The fields for the service."""
        return {
            name: value
            for name, value in self.cleaned_data.items()
            if name not in {"code", "town", "opened", "version"}
        }


class MoveSiteForm(forms.Form):
    """Under which town, from when."""

    town = forms.ModelChoiceField(Organisation.objects.none(), label=gettext_lazy("调整到镇街"))
    on = forms.DateField(label=gettext_lazy("生效日"), widget=DateInput, initial=timezone.localdate)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["town"].queryset = selectors.towns(actor)


class CloseSiteForm(forms.Form):
    """Last day and approval."""

    on = forms.DateField(
        label=gettext_lazy("最后一天"), widget=DateInput, initial=timezone.localdate
    )
    document = forms.CharField(label=gettext_lazy("批准文号"), max_length=80)


class SuccessionForm(forms.Form):
    """Who continues a school, how, from when, by which approval."""

    kind = forms.ChoiceField(
        label=gettext_lazy("方式"),
        choices=[
            (Succession.Kind.MERGER.value, gettext_lazy("合并：全部并入承接单位，本单位撤销")),
            (Succession.Kind.SPLIT.value, gettext_lazy("分设：选中的班分到承接单位，本单位保留")),
            (
                Succession.Kind.CHANGE.value,
                gettext_lazy("更名或转类：全部由新单位承接，本单位撤销"),
            ),
        ],
        widget=forms.RadioSelect,
        initial=Succession.Kind.MERGER.value,
    )
    successor = forms.ModelChoiceField(
        Organisation.objects.none(),
        label=gettext_lazy("承接单位"),
        help_text=gettext_lazy("新单位请先在“学校”里新建。"),
    )
    on = forms.DateField(label=gettext_lazy("生效日"), widget=DateInput, initial=timezone.localdate)
    document = forms.CharField(label=gettext_lazy("批准文号"), max_length=80)
    classes = forms.ModelMultipleChoiceField(
        SchoolClass.objects.none(),
        label=gettext_lazy("分出去的班（只用于分设）"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, actor: Actor, site: Organisation, **kwargs: Any):
        super().__init__(*args, **kwargs)
        others = selectors.open_sites(actor, Permission.SITE_EDIT).exclude(pk=site.pk)
        self.fields["successor"].queryset = others
        running = site.classes.filter(valid_to__isnull=True)
        self.fields["classes"].queryset = running

    def clean(self) -> dict[str, Any]:
        """Only a split chooses classes, and it must."""
        data = super().clean()
        if data.get("kind") == Succession.Kind.SPLIT and not data.get("classes"):
            raise ValidationError({"classes": _("分设至少要选一个班。")})
        return data

    def chosen(self) -> list[SchoolClass] | None:
        """The classes of a split; None means all."""
        if self.cleaned_data["kind"] != Succession.Kind.SPLIT:
            return None
        return list(self.cleaned_data["classes"])


class YearForm(forms.Form):
    """A school year and its two terms."""

    starts_on = forms.DateField(label=gettext_lazy("学年起始日"), widget=DateInput)
    ends_on = forms.DateField(label=gettext_lazy("学年截止日"), widget=DateInput)
    term1_starts = forms.DateField(label=gettext_lazy("第一学期开学日"), widget=DateInput)
    term1_ends = forms.DateField(label=gettext_lazy("第一学期放假日"), widget=DateInput)
    term2_starts = forms.DateField(label=gettext_lazy("第二学期开学日"), widget=DateInput)
    term2_ends = forms.DateField(label=gettext_lazy("第二学期放假日"), widget=DateInput)

    @staticmethod
    def spans_of(year: SchoolYear) -> list[Span]:
        """The year's span, then its terms'."""
        return [(year.starts_on, year.ends_on)] + [
            (term.starts_on, term.ends_on) for term in year.terms.all()
        ]

    @classmethod
    def initial_of(cls, year: SchoolYear | None, *, later: bool = False) -> dict[str, Any]:
        """What the form shows of a year; `later` shifts everything by a year."""
        if year is None:
            return {}
        spans = [next_span(span) if later else span for span in cls.spans_of(year)]
        names = [
            ("starts_on", "ends_on"),
            ("term1_starts", "term1_ends"),
            ("term2_starts", "term2_ends"),
        ]
        pairs = zip(names, spans, strict=False)
        return {name: day for pair, span in pairs for name, day in zip(pair, span, strict=True)}

    def spans(self) -> tuple[Span, list[Span]]:
        """The year's span and those of its terms."""
        data = self.cleaned_data
        terms = [(data[f"term{n}_starts"], data[f"term{n}_ends"]) for n in (1, 2)]
        return (data["starts_on"], data["ends_on"]), terms


class ClassesForm(forms.Form):
    """Several new classes of one grade."""

    organisation = forms.ModelChoiceField(Organisation.objects.none(), label=gettext_lazy("学校"))
    stage = forms.ChoiceField(label=gettext_lazy("学段"), choices=Stage.choices)
    entry_year = forms.IntegerField(
        label=gettext_lazy("入学年"),
        min_value=1990,
        max_value=2100,
        widget=NumberInput,
        help_text=gettext_lazy("该学段一年级（小班、七年级、高一）入学的年份；年级由它推算。"),
    )
    count = forms.IntegerField(
        label=gettext_lazy("几个班"), min_value=1, max_value=30, initial=1, widget=NumberInput
    )
    valid_from = forms.DateField(label=gettext_lazy("建班日"), widget=DateInput)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        sites = selectors.open_sites(actor, Permission.CLASS_EDIT)
        self.fields["organisation"].queryset = sites
        only = list(sites[:2])
        if len(only) == 1:
            self.fields["organisation"].initial = only[0]
            stages = selectors.stages_of(only[0])
            kept = [choice for choice in Stage.choices if choice[0] in stages]
            self.fields["stage"].choices = kept
        year = selectors.school_year_of(timezone.localdate())
        self.fields["entry_year"].initial = year
        self.fields["valid_from"].initial = timezone.localdate().replace(year=year, month=9, day=1)


class RenameClassForm(forms.Form):
    """A class's own name."""

    name = forms.CharField(
        label=gettext_lazy("班级名称"),
        max_length=20,
        required=False,
        help_text=gettext_lazy("留空则按年级和班号称呼，例如：三年级（2）班。"),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)


class CloseClassForm(forms.Form):
    """A class's last day."""

    on = forms.DateField(
        label=gettext_lazy("最后一天"), widget=DateInput, initial=timezone.localdate
    )
    version = forms.IntegerField(widget=forms.HiddenInput)


class GraduateForm(forms.Form):
    """The last day of a leaving class, and who goes without a diploma."""

    on = forms.DateField(label=gettext_lazy("毕业日期"), widget=DateInput)
    without = forms.MultipleChoiceField(
        label=gettext_lazy("结业（不发毕业证书）的学生"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("不勾选的都按毕业办理。"),
    )
    expected = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, pupils: Sequence[Pupil], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["without"].choices = [(str(row.pk), row.name) for row in pupils]
        self.fields["expected"].initial = len(pupils)

    def clean_without(self) -> list[uuid.UUID]:
        """Keys of the pupils."""
        return [uuid.UUID(key) for key in self.cleaned_data["without"]]


class CommunityForm(forms.ModelForm):
    """A community or village."""

    class Meta:
        model = Community
        fields = ("town", "code", "name", "kind", "island")
        labels = {"town": gettext_lazy("所属镇街")}

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["town"].queryset = selectors.towns(actor)

    def _post_clean(self) -> None:
        """The service writes and checks; the instance stays as it is."""


class DwellingForm(forms.ModelForm):
    """One dwelling."""

    class Meta:
        model = Dwelling
        fields = ("community", "road", "number", "suffix", "building", "room")
        labels = {"community": gettext_lazy("社区（村）")}
        widgets = {"number": NumberInput}

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["community"].queryset = selectors.communities(actor)

    def _post_clean(self) -> None:
        """The service writes and checks; the instance stays as it is."""
