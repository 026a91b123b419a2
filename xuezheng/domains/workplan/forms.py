"""Forms of this system.  Each `save` calls one service."""

import uuid
from pathlib import Path
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.models import (
    COMPARATORS,
    KINDS,
    LIGHTS,
    NEEDS_REFERENCE,
    Commitment,
    Milestone,
    MilestoneRole,
    Plan,
    Target,
)
from xuezheng.domains.workplan.parsing import PlanError, parse_file, parse_text
from xuezheng.domains.workplan.rules import Light
from xuezheng.domains.workplan.selectors import HANDLERS, people
from xuezheng.domains.workplan.services import adopting, carrying, importing, lights, reviewing
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation, User
from xuezheng.kernel.files.store import keep, keep_bytes
from xuezheng.kernel.indicators.definitions import INDICATORS
from xuezheng.kernel.ui.cases import StepPage
from xuezheng.kernel.ui.forms import DateInput
from xuezheng.kernel.ui.steps import StepForm
from xuezheng.kernel.ui.uploads import UploadsField
from xuezheng.registry import roles
from xuezheng.registry.organisations import OrganisationKind

OFFICE_KINDS = (OrganisationKind.OFFICE, OrganisationKind.TOWN, OrganisationKind.OUTSIDE)


def offices() -> Any:
    """Organisations that may lead or support a commitment."""
    return Organisation.objects.filter(kind__in=OFFICE_KINDS, closed__isnull=True)


class ImportForm(forms.Form):
    """A file, or pasted text."""

    organisation = forms.ModelChoiceField(
        Organisation.objects.none(), label=gettext_lazy("哪个单位的计划")
    )
    year = forms.IntegerField(
        label=gettext_lazy("年度"),
        required=False,
        min_value=2000,
        max_value=2100,
        help_text=gettext_lazy("不填则从文中识别。"),
    )
    file = forms.FileField(
        label=gettext_lazy("计划文件"),
        required=False,
        help_text=gettext_lazy(
            "Word（.docx）、文本（.txt）、文字版 PDF，或任务分解表（.xlsx、Word 表格）。"
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".docx,.txt,.pdf,.xlsx"}),
    )
    text = forms.CharField(
        label=gettext_lazy("或粘贴全文"),
        required=False,
        max_length=500_000,
        widget=forms.Textarea({"rows": 8}),
    )
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.actor = actor
        editable = actor.scope(Permission.EDIT).organisations
        bureaus = Organisation.objects.filter(id__within=editable, kind=OrganisationKind.BUREAU)
        self.fields["organisation"].queryset = bureaus
        if len(first := list(bureaus[:2])) == 1:
            self.fields["organisation"].initial = first[0]
            self.fields["organisation"].widget = forms.HiddenInput()

    def clean(self) -> dict[str, Any]:
        """Exactly one source, parsed; the importer's own message is shown when it cannot read it."""
        data = super().clean()
        upload: UploadedFile | None = data.get("file")
        if bool(upload) == bool(data.get("text", "").strip()):
            raise ValidationError(_("请上传文件或粘贴全文，二选一。"))
        try:
            if upload:
                self.parsed = parse_file(upload.read(), upload.name)
                upload.seek(0)
            else:
                self.parsed = parse_text(data["text"])
        except PlanError as error:
            raise ValidationError(str(error)) from error
        return data

    def save(self) -> Plan:
        """Keep the source and create the plan under review."""
        data = self.cleaned_data
        organisation = data["organisation"]
        upload = data["file"]
        if upload and Path(upload.name).suffix.lower() in {".docx", ".xlsx", ".pdf"}:
            stored = keep(upload, organisation_id=organisation.id, by=self.actor)
        else:
            stored = keep_bytes(
                self.parsed.text.encode(),
                upload.name if upload else "pasted.txt",
                "text/plain; charset=utf-8",
                organisation_id=organisation.id,
                by=self.actor,
            )
        return importing.import_plan(
            self.parsed.as_json(),
            organisation=organisation,
            year=data["year"],
            source_text=self.parsed.text,
            source_file=stored,
            by=self.actor,
        )


class AmendmentMixin(forms.Form):
    """Reason and meeting, asked only when the plan is adopted."""

    reason = forms.CharField(label=gettext_lazy("修改理由"), max_length=300, required=False)
    meeting_number = forms.CharField(
        label=gettext_lazy("会议纪要编号"), max_length=60, required=False
    )

    def ask_amendment(self, plan: Plan) -> None:
        """Drop the two fields while the plan is under review, require them afterwards."""
        for name in ("reason", "meeting_number"):
            if plan.in_review:
                del self.fields[name]
            else:
                self.fields[name].required = True

    def amendment(self) -> reviewing.Amendment | None:
        """What the user gave, or None under review."""
        if "reason" not in self.fields:
            return None
        return reviewing.Amendment(self.cleaned_data["reason"], self.cleaned_data["meeting_number"])


class CommitmentForm(AmendmentMixin, forms.ModelForm):
    """Who, what kind, when, how heavy."""

    supports = forms.ModelMultipleChoiceField(
        Organisation.objects.none(),
        label=gettext_lazy("配合单位"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Commitment
        fields = (
            "title",
            "wording",
            "kind",
            "leader",
            "lead_office",
            "handler",
            "weight",
            "start_on",
            "due_on",
            "version",
        )
        widgets = {
            "wording": forms.Textarea({"rows": 4}),
            "start_on": DateInput,
            "due_on": DateInput,
            "version": forms.HiddenInput,
        }

    field_order = [*Meta.fields, "supports", "reason", "meeting_number"]

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.actor = actor
        self.fields["kind"].choices = KINDS
        self.fields["leader"].queryset = people(roles.DIRECTOR, roles.DEPUTY)
        self.fields["lead_office"].queryset = offices()
        self.fields["handler"].queryset = people(*HANDLERS)
        self.fields["supports"].queryset = offices()
        rows = list(self.instance.supports.select_related("organisation"))
        self.parts = {row.organisation_id: row.part for row in rows}
        self.fields["supports"].initial = [row.organisation_id for row in rows]
        for row in rows:
            # Each supporting office has its own part, written beside its name.
            self.fields[f"part_{row.organisation_id}"] = forms.CharField(
                label=_("%s负责的部分") % row.organisation,
                required=False,
                max_length=200,
                initial=row.part,
            )
        self.ask_amendment(self.instance.plan)

    def clean(self) -> dict[str, Any]:
        """The span runs forward."""
        data = super().clean()
        start, due = data.get("start_on"), data.get("due_on")
        if start and due and due < start:
            self.add_error("due_on", _("完成期限不能早于开始日。"))
        return data

    def save(self) -> Commitment:
        """Edit the commitment."""
        data = self.cleaned_data
        chosen = [
            (office, data.get(f"part_{office.id}", self.parts.get(office.id, "")))
            for office in data["supports"]
        ]
        changes = {name: data[name] for name in self.Meta.fields if name != "version"}
        return reviewing.edit_commitment(
            Commitment.objects.get(pk=self.instance.pk),
            version=data["version"],
            supports=chosen,
            amendment=self.amendment(),
            by=self.actor,
            **changes,
        )


class AssignForm(forms.Form):
    """The same for many ticked commitments: what is left empty stays as it is."""

    leader = forms.ModelChoiceField(
        User.objects.none(), label=gettext_lazy("分管领导"), required=False
    )
    lead_office = forms.ModelChoiceField(
        Organisation.objects.none(), label=gettext_lazy("牵头科室"), required=False
    )
    start_on = forms.DateField(label=gettext_lazy("开始日"), required=False, widget=DateInput)
    due_on = forms.DateField(label=gettext_lazy("完成期限"), required=False, widget=DateInput)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["leader"].queryset = people(roles.DIRECTOR, roles.DEPUTY)
        self.fields["lead_office"].queryset = offices()

    def changes(self) -> dict[str, Any]:
        """The fields that were filled in."""
        return {name: value for name, value in self.cleaned_data.items() if value}


class TargetForm(AmendmentMixin, forms.ModelForm):
    """A figure and the indicator that measures it."""

    indicator = forms.ChoiceField(label=gettext_lazy("对应指标"), required=False)

    class Meta:
        model = Target
        fields = (
            "text",
            "comparator",
            "value",
            "high",
            "unit",
            "strict",
            "hedged",
            "baseline",
            "period",
            "indicator",
            "cumulative",
        )

    field_order = [*Meta.fields, "reason", "meeting_number"]

    def __init__(self, *args: Any, commitment: Commitment, actor: Actor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.commitment = commitment
        self.actor = actor
        self.fields["comparator"].choices = COMPARATORS
        self.fields["indicator"].choices = [("", _("暂无系统计量"))] + [
            (indicator.key, indicator.label) for indicator in INDICATORS.values()
        ]
        self.ask_amendment(commitment.plan)

    def clean(self) -> dict[str, Any]:
        """A range has both ends, in order."""
        data = super().clean()
        low, high = data.get("value"), data.get("high")
        if data.get("comparator") == "range" and low is not None and (high is None or high <= low):
            self.add_error("high", _("区间须填上限，且大于下限。"))
        return data

    def save(self) -> Target:
        """Add or change the target."""
        values = {name: self.cleaned_data[name] for name in self.Meta.fields}
        target = Target.objects.get(pk=self.instance.pk) if self.instance.pk else None
        return reviewing.set_target(
            self.commitment, target=target, amendment=self.amendment(), by=self.actor, **values
        )


class MilestoneForm(AmendmentMixin):
    """A new dated step."""

    title = forms.CharField(label=gettext_lazy("节点"), max_length=120)
    role = forms.ChoiceField(label=gettext_lazy("环节"), choices=MilestoneRole)
    due_on = forms.DateField(label=gettext_lazy("期限"), widget=DateInput)
    weight = forms.IntegerField(label=gettext_lazy("权重"), min_value=1, max_value=100, initial=1)
    field_order = ["title", "role", "due_on", "weight", "reason", "meeting_number"]

    def __init__(self, *args: Any, commitment: Commitment, actor: Actor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.commitment = commitment
        self.actor = actor
        self.ask_amendment(commitment.plan)

    def save(self) -> Milestone:
        """Add the milestone."""
        data = self.cleaned_data
        return reviewing.add_milestone(
            self.commitment,
            title=data["title"],
            role=data["role"],
            due_on=data["due_on"],
            weight=data["weight"],
            amendment=self.amendment(),
            by=self.actor,
        )


class WithdrawForm(AmendmentMixin):
    """Taking something out of the plan."""

    def __init__(self, *args: Any, plan: Plan, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.ask_amendment(plan)


class AddCommitmentForm(AmendmentMixin):
    """What the importer did not see."""

    section = forms.ModelChoiceField(None, label=gettext_lazy("所在章节"))
    wording = forms.CharField(
        label=gettext_lazy("任务表述"), max_length=2000, widget=forms.Textarea({"rows": 3})
    )
    field_order = ["section", "wording", "reason", "meeting_number"]

    def __init__(self, *args: Any, plan: Plan, actor: Actor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.actor = actor
        self.fields["section"].queryset = plan.sections.all()
        self.ask_amendment(plan)

    def save(self) -> Commitment:
        """Add the commitment."""
        data = self.cleaned_data
        return reviewing.add_commitment(
            data["section"], wording=data["wording"], amendment=self.amendment(), by=self.actor
        )


class AdoptForm(forms.Form):
    """The meeting that settled the plan."""

    meeting_number = forms.CharField(
        label=gettext_lazy("会议纪要编号"),
        max_length=60,
        help_text=gettext_lazy("例如：局务会〔2026〕3号"),
    )

    def __init__(self, *args: Any, plan: Plan, actor: Actor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.plan, self.actor = plan, actor

    def save(self) -> Any:
        """Adopt the plan."""
        return adopting.adopt_plan(
            self.plan, meeting_number=self.cleaned_data["meeting_number"], by=self.actor
        )


class OverrideForm(forms.Form):
    """A person's word over the rule."""

    light = forms.ChoiceField(
        label=gettext_lazy("调整为"), choices=LIGHTS, widget=forms.RadioSelect
    )
    reason = forms.CharField(
        label=gettext_lazy("理由"), max_length=300, widget=forms.Textarea({"rows": 2})
    )
    until = forms.DateField(
        label=gettext_lazy("有效至"),
        widget=DateInput,
        help_text=gettext_lazy("最长三个月，到期后恢复按规则亮灯。"),
    )

    def __init__(self, *args: Any, commitment: Commitment, actor: Actor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.commitment, self.actor = commitment, actor

    def save(self) -> Any:
        """Override the light."""
        data = self.cleaned_data
        return lights.override_light(
            self.commitment,
            light=Light(data["light"]),
            reason=data["reason"],
            until=data["until"],
            by=self.actor,
        )


class ReportForm(StepForm):
    """The office says that the milestone is reached, and shows it."""

    note = forms.CharField(
        label=gettext_lazy("完成情况"), max_length=1000, widget=forms.Textarea({"rows": 4})
    )
    reference = forms.CharField(label=gettext_lazy("文号或结论"), max_length=80, required=False)
    evidence = UploadsField(label=gettext_lazy("佐证材料"), maximum=10, required=False)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if self.row.role in NEEDS_REFERENCE:
            self.fields["reference"].label = NEEDS_REFERENCE[MilestoneRole(self.row.role)]
            self.fields["reference"].required = True
        else:
            del self.fields["reference"]

    def save(self) -> Any:
        """Report the milestone."""
        data = self.cleaned_data
        return carrying.report_milestone(
            self.row,
            note=data["note"],
            reference=data.get("reference", ""),
            evidence=data["evidence"],
            version=data["version"],
            by=self.actor,
        )


class AcceptForm(StepForm):
    note = forms.CharField(
        label=gettext_lazy("核验意见"),
        required=False,
        max_length=500,
        widget=forms.Textarea({"rows": 2}),
    )

    def save(self) -> Any:
        """Accept the report."""
        data = self.cleaned_data
        return carrying.accept_milestone(
            self.row, note=data["note"], version=data["version"], by=self.actor
        )


class ReturnForm(StepForm):
    note = forms.CharField(
        label=gettext_lazy("退回理由"), max_length=500, widget=forms.Textarea({"rows": 2})
    )

    def save(self) -> Any:
        """Send the report back."""
        data = self.cleaned_data
        return carrying.return_milestone(
            self.row, note=data["note"], version=data["version"], by=self.actor
        )


class ExtensionForm(StepForm):
    """More time, asked for before the due day."""

    new_due = forms.DateField(label=gettext_lazy("申请延至"), widget=DateInput)
    reason = forms.CharField(
        label=gettext_lazy("延期理由"), max_length=500, widget=forms.Textarea({"rows": 3})
    )
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    def save(self) -> Any:
        """Ask for more time."""
        data = self.cleaned_data
        return carrying.ask_extension(
            self.row,
            new_due=data["new_due"],
            reason=data["reason"],
            key=data["key"],
            by=self.actor,
        )


class DecisionForm(StepForm):
    """A leader grants or refuses."""

    granted = forms.ChoiceField(
        label=gettext_lazy("审批意见"),
        choices=[("yes", gettext_lazy("同意延期")), ("no", gettext_lazy("不同意"))],
        widget=forms.RadioSelect,
    )
    note = forms.CharField(
        label=gettext_lazy("批示"),
        required=False,
        max_length=500,
        widget=forms.Textarea({"rows": 2}),
    )

    def save(self) -> Any:
        """Decide the request."""
        data = self.cleaned_data
        return carrying.decide_extension(
            self.row,
            granted=data["granted"] == "yes",
            note=data["note"],
            version=data["version"],
            by=self.actor,
        )


#: URL name of a step -> how it is taken on the page.
MILESTONE_FORMS = {
    "report": StepPage(ReportForm, ("report",), gettext_lazy("报告完成")),
    "extend": StepPage(ExtensionForm, ("report",), gettext_lazy("申请延期")),
    "accept": StepPage(AcceptForm, ("accept",), gettext_lazy("核验通过")),
    "return": StepPage(ReturnForm, ("return",), gettext_lazy("退回")),
}
EXTENSION_FORMS = {
    "decide": StepPage(DecisionForm, ("grant", "refuse"), gettext_lazy("提交审批意见"))
}
