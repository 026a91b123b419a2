"""Forms of supervision sheets, sources, recurring reports, issued documents and drafts."""

import uuid
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.forms import offices
from xuezheng.domains.workplan.models import (
    LEVELS,
    Commitment,
    DocumentReview,
    Draft,
    IssuedDocument,
    Milestone,
    Plan,
    RecurringReport,
    Source,
    SourceKind,
    Supervision,
)
from xuezheng.domains.workplan.rules import Every, Level, first_level
from xuezheng.domains.workplan.selectors import ladder, supervision_settings
from xuezheng.domains.workplan.services import drafting, recurring, sources, supervising
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.files.store import keep
from xuezheng.kernel.ui.cases import StepPage
from xuezheng.kernel.ui.forms import DateInput
from xuezheng.kernel.ui.steps import StepForm
from xuezheng.kernel.ui.uploads import UploadsField
from xuezheng.registry.organisations import OrganisationKind


def bureaus(actor: Actor, permission: str) -> Any:
    """Bureaus for which the actor holds the permission."""
    reached = actor.scope(permission).organisations
    return Organisation.objects.filter(id__within=reached, kind=OrganisationKind.BUREAU)


def _text(label: Any, *, required: bool = True, rows: int = 3, limit: int = 1000) -> Any:
    return forms.CharField(
        label=label,
        required=required,
        max_length=limit,
        widget=forms.Textarea({"rows": rows}),
    )


def _why(row: Commitment | Milestone) -> str:
    """The reason for a sheet as the records know it: the day that is past, or the light."""
    today = timezone.localdate()
    if row.due_on and row.due_on < today:
        return _("应于%(due)s完成，已超过 %(days)d 天。") % {
            "due": row.due_on.isoformat(),
            "days": (today - row.due_on).days,
        }
    if isinstance(row, Milestone):
        return _("应于%s完成。") % row.due_on.isoformat()
    return f"{row.get_light_display()}：{row.get_cause_display()}"


class SheetForm(forms.Form):
    """A sheet that the plan office issues by hand."""

    office = forms.ModelChoiceField(Organisation.objects.none(), label=gettext_lazy("责任单位"))
    title = forms.CharField(label=gettext_lazy("督办事项"), max_length=120)
    note = _text(gettext_lazy("督办事由"))
    demand = _text(gettext_lazy("办理要求"))
    due_on = forms.DateField(label=gettext_lazy("办理期限"), widget=DateInput)
    level = forms.TypedChoiceField(
        label=gettext_lazy("督办层级"), choices=LEVELS, coerce=lambda value: Level(int(value))
    )
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    def __init__(
        self,
        *args: Any,
        issuer: Organisation,
        commitment: Commitment | None,
        milestone: Milestone | None,
        source: Source | None,
        actor: Actor,
        **kwargs: Any,
    ):
        super().__init__(*args, **kwargs)
        self.issuer, self.actor = issuer, actor
        self.commitment, self.milestone, self.source = commitment, milestone, source
        reached = actor.scope(Permission.SUPERVISE).organisations
        self.fields["office"].queryset = offices().filter(id__within=reached)
        self.fields["due_on"].initial = supervising.usual_due(issuer)
        about = milestone or source or commitment
        self.fields["title"].initial = about.title[:120]
        if commitment is not None:
            self.fields["office"].initial = commitment.lead_office_id
            rule = ladder(supervision_settings(timezone.localdate(), issuer.code))
            self.fields["level"].initial = int(first_level(commitment.weight, rule))
            self.fields["note"].initial = _why(milestone or commitment)
            self.fields["demand"].initial = _("查明原因，在办理期限前完成，并附佐证材料。")
        if milestone is not None:
            self.fields["office"].initial = milestone.case.organisation_id

    def save(self) -> Supervision:
        """Propose and issue in one go."""
        data = self.cleaned_data
        row = supervising.propose(
            issuer=self.issuer,
            office=data["office"],
            title=data["title"],
            note=data["note"],
            commitment=self.commitment,
            milestone=self.milestone,
            source=self.source,
            level=data["level"],
            key=data["key"],
            by=self.actor,
        )
        if row.state == "proposed":
            supervising.issue(
                row,
                demand=data["demand"],
                due_on=data["due_on"],
                level=data["level"],
                by=self.actor,
            )
        return row


class IssueForm(StepForm):
    """What the night proposed is issued by hand, with a demand and a day."""

    demand = _text(gettext_lazy("办理要求"))
    due_on = forms.DateField(label=gettext_lazy("办理期限"), widget=DateInput)
    level = forms.TypedChoiceField(
        label=gettext_lazy("督办层级"), choices=LEVELS, coerce=lambda value: Level(int(value))
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["due_on"].initial = supervising.usual_due(self.row.issuer)
        self.fields["level"].initial = self.row.level

    def save(self) -> Any:
        """Issue the sheet."""
        data = self.cleaned_data
        return supervising.issue(
            self.row,
            demand=data["demand"],
            due_on=data["due_on"],
            level=data["level"],
            version=data["version"],
            by=self.actor,
        )


class SignForm(StepForm):
    note = _text(gettext_lazy("签收意见"), required=False, rows=2, limit=300)

    def save(self) -> Any:
        """Sign for it."""
        data = self.cleaned_data
        return supervising.sign(self.row, note=data["note"], version=data["version"], by=self.actor)


class ReplyForm(StepForm):
    note = _text(gettext_lazy("办理情况"), rows=5)
    evidence = UploadsField(label=gettext_lazy("佐证材料"), maximum=10, required=False)

    def save(self) -> Any:
        """Answer the sheet."""
        data = self.cleaned_data
        return supervising.reply(
            self.row,
            note=data["note"],
            evidence=data["evidence"],
            version=data["version"],
            by=self.actor,
        )


class MoreTimeForm(StepForm):
    new_due = forms.DateField(label=gettext_lazy("申请延至"), widget=DateInput)
    reason = _text(gettext_lazy("延期理由"), limit=500)

    def save(self) -> Any:
        """Ask for more time."""
        data = self.cleaned_data
        return supervising.ask_more_time(
            self.row,
            new_due=data["new_due"],
            reason=data["reason"],
            version=data["version"],
            by=self.actor,
        )


class MoreTimeDecisionForm(StepForm):
    granted = forms.ChoiceField(
        label=gettext_lazy("审批意见"),
        choices=[("yes", gettext_lazy("同意延期")), ("no", gettext_lazy("不同意"))],
        widget=forms.RadioSelect,
    )
    note = _text(gettext_lazy("批示"), required=False, rows=2, limit=500)

    def save(self) -> Any:
        """Grant or refuse."""
        data = self.cleaned_data
        return supervising.decide_more_time(
            self.row,
            granted=data["granted"] == "yes",
            note=data["note"],
            version=data["version"],
            by=self.actor,
        )


class SettleForm(StepForm):
    passed = forms.ChoiceField(
        label=gettext_lazy("审核结论"),
        choices=[("yes", gettext_lazy("同意办结")), ("no", gettext_lazy("退回继续办理"))],
        widget=forms.RadioSelect,
    )
    note = _text(gettext_lazy("审核意见"), required=False, rows=2, limit=500)

    def save(self) -> Any:
        """Settle, or give back."""
        data = self.cleaned_data
        act = supervising.settle if data["passed"] == "yes" else supervising.give_back
        return act(self.row, note=data["note"], version=data["version"], by=self.actor)


class FileForm(StepForm):
    note = _text(gettext_lazy("归档说明"), required=False, rows=2, limit=300)

    def save(self) -> Any:
        """File it."""
        data = self.cleaned_data
        return supervising.file_away(
            self.row, note=data["note"], version=data["version"], by=self.actor
        )


class DismissForm(StepForm):
    note = _text(gettext_lazy("撤销理由"), rows=2, limit=500)

    def save(self) -> Any:
        """Take it back."""
        data = self.cleaned_data
        return supervising.dismiss(
            self.row, note=data["note"], version=data["version"], by=self.actor
        )


#: URL name of a step -> how it is taken on the page.
SUPERVISION_FORMS = {
    "issue": StepPage(IssueForm, ("issue",), gettext_lazy("签发")),
    "sign": StepPage(SignForm, ("sign",), gettext_lazy("签收")),
    "reply": StepPage(ReplyForm, ("reply",), gettext_lazy("回复办理情况")),
    "more-time": StepPage(MoreTimeForm, ("ask",), gettext_lazy("申请延期")),
    "decide": StepPage(MoreTimeDecisionForm, ("grant", "refuse"), gettext_lazy("提交审批意见")),
    "settle": StepPage(SettleForm, ("settle", "return"), gettext_lazy("提交审核结论")),
    "file": StepPage(FileForm, ("file",), gettext_lazy("归档")),
    "dismiss": StepPage(DismissForm, ("dismiss",), gettext_lazy("撤销")),
}


class SourceForm(forms.Form):
    """A document, minutes, promise, indicator or livelihood project, with its original."""

    kind = forms.ChoiceField(
        label=gettext_lazy("类别"),
        choices=[choice for choice in SourceKind.choices if choice[0] != SourceKind.NOTE],
    )
    number = forms.CharField(label=gettext_lazy("文号或编号"), max_length=80, required=False)
    title = forms.CharField(label=gettext_lazy("标题"), max_length=200)
    issued_by = forms.CharField(label=gettext_lazy("来文单位"), max_length=100, required=False)
    dated_on = forms.DateField(label=gettext_lazy("日期"), widget=DateInput)
    text = _text(gettext_lazy("粘贴原文"), required=False, rows=8, limit=200_000)
    file = forms.FileField(label=gettext_lazy("或上传原件"), required=False)

    def __init__(self, *args: Any, organisation: Organisation, actor: Actor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.organisation, self.actor = organisation, actor

    def save(self) -> Source:
        """Keep the original and register the source."""
        data = self.cleaned_data
        stored = None
        if data["file"]:
            stored = keep(data["file"], organisation_id=self.organisation.id, by=self.actor)
        fields = {name: data[name] for name in ("number", "title", "issued_by", "dated_on", "text")}
        return sources.register_source(
            organisation=self.organisation,
            kind=SourceKind(data["kind"]),
            file=stored,
            by=self.actor,
            **fields,
        )


class LinkForm(forms.Form):
    """Which commitments answer a source."""

    commitments = forms.ModelMultipleChoiceField(
        Commitment.objects.none(),
        label=gettext_lazy("由哪些任务落实"),
        required=False,
        widget=forms.SelectMultiple({"size": 12}),
    )

    def __init__(self, *args: Any, source: Source, actor: Actor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.source, self.actor = source, actor
        plans = Plan.objects.filter(organisation=source.organisation_id)
        rows = Commitment.objects.live().filter(plan__in=plans, plan__status=Plan.Status.ADOPTED)
        self.fields["commitments"].queryset = rows | source.commitments.all()
        self.fields["commitments"].initial = list(source.commitments.values_list("id", flat=True))

    def save(self) -> None:
        """Link them."""
        rows = self.cleaned_data["commitments"].select_related("plan")
        sources.link(self.source, commitments=list(rows), by=self.actor)


class NoteForm(forms.Form):
    """A leader's note."""

    text = _text(gettext_lazy("批示"), rows=3, limit=500, required=False)


class TakeOverForm(forms.Form):
    """Why the tasks of minutes go into the plan, and under which meeting."""

    meeting_number = forms.CharField(label=gettext_lazy("会议纪要编号"), max_length=60)
    reason = forms.CharField(label=gettext_lazy("修改理由"), max_length=300)


class RecurringForm(forms.ModelForm):
    """A recurring report of the calendar."""

    class Meta:
        model = RecurringReport
        fields = (
            "title",
            "receiver",
            "basis",
            "office",
            "every",
            "month",
            "day",
            "ended_on",
        )
        widgets = {"ended_on": DateInput}
        help_texts = {"month": gettext_lazy("每月报填 1；每季度报填 1–3；每年报填 1–12。")}

    def __init__(self, *args: Any, organisation: Organisation, actor: Actor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.organisation, self.actor = organisation, actor
        self.fields["office"].queryset = offices()
        self.fields["month"].max_value = 12

    def clean(self) -> dict[str, Any]:
        """A day that some month has, a month that the year has."""
        data = super().clean()
        for name, most in (("day", 31), ("month", 12)):
            if data.get(name) is not None and not 1 <= data[name] <= most:
                self.add_error(name, _("请填 1 至 %d。") % most)
        return data

    def save(self) -> RecurringReport:
        """Set the report."""
        data = self.cleaned_data
        report = RecurringReport.objects.get(pk=self.instance.pk) if self.instance.pk else None
        return recurring.set_recurring(
            report=report,
            organisation=self.organisation,
            by=self.actor,
            **data | {"every": Every(data["every"])},
        )


class SendForm(StepForm):
    receipt = forms.CharField(label=gettext_lazy("回执"), max_length=120, required=False)
    files = UploadsField(label=gettext_lazy("报送的文件"), maximum=5, required=False)
    note = _text(gettext_lazy("说明"), required=False, rows=2, limit=500)

    def save(self) -> Any:
        """Say that it was sent."""
        data = self.cleaned_data
        return recurring.send_report(
            self.row,
            receipt=data["receipt"],
            note=data["note"],
            files=data["files"],
            version=data["version"],
            by=self.actor,
        )


class SkipForm(StepForm):
    note = _text(gettext_lazy("本期不报的理由"), rows=2, limit=500)

    def save(self) -> Any:
        """Let the turn fall."""
        data = self.cleaned_data
        return recurring.skip_report(
            self.row, note=data["note"], version=data["version"], by=self.actor
        )


class ConcludeForm(StepForm):
    outcome = forms.ChoiceField(
        label=gettext_lazy("复审结论"), choices=DocumentReview.Outcome, widget=forms.RadioSelect
    )
    next_review_on = forms.DateField(
        label=gettext_lazy("下次复审日"), required=False, widget=DateInput
    )
    note = _text(gettext_lazy("说明"), rows=2, limit=500)

    def save(self) -> Any:
        """Conclude the review."""
        data = self.cleaned_data
        return recurring.conclude_review(
            self.row,
            outcome=DocumentReview.Outcome(data["outcome"]),
            next_review_on=data["next_review_on"],
            note=data["note"],
            version=data["version"],
            by=self.actor,
        )


TURN_FORMS = {
    "send": StepPage(SendForm, ("send",), gettext_lazy("登记报送")),
    "skip": StepPage(SkipForm, ("skip",), gettext_lazy("本期不报")),
}
REVIEW_FORMS = {
    "conclude": StepPage(ConcludeForm, ("conclude",), gettext_lazy("提交复审结论")),
}


class DocumentForm(forms.Form):
    """Number, day and file of the document that came back from the bureau's document system."""

    number = forms.CharField(label=gettext_lazy("文号"), max_length=80)
    issued_on = forms.DateField(label=gettext_lazy("印发日"), widget=DateInput)
    review_on = forms.DateField(
        label=gettext_lazy("复审日"),
        required=False,
        widget=DateInput,
        help_text=gettext_lazy("到期前会提醒复审；规范性文件须填。"),
    )
    file = forms.FileField(
        label=gettext_lazy("印发的 PDF"), widget=forms.ClearableFileInput({"accept": ".pdf"})
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, milestone: Milestone, actor: Actor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.milestone, self.actor = milestone, actor
        self.fields["version"].initial = milestone.case.version

    def clean_file(self) -> Any:
        """The issued text is a PDF."""
        upload = self.cleaned_data["file"]
        if not upload.name.lower().endswith(".pdf"):
            raise ValidationError(_("请上传印发的 PDF 文件。"))
        return upload

    def save(self) -> IssuedDocument:
        """File the document and report the milestone."""
        return recurring.register_document(self.milestone, by=self.actor, **self.cleaned_data)


class DraftForm(forms.Form):
    """Which document about which plan for which days."""

    plan = forms.ModelChoiceField(Plan.objects.none(), label=gettext_lazy("计划"))
    kind = forms.ChoiceField(
        label=gettext_lazy("类别"), choices=Draft.Kind, widget=forms.RadioSelect
    )
    begins = forms.DateField(label=gettext_lazy("起始日"), widget=DateInput)
    ends = forms.DateField(label=gettext_lazy("截止日"), widget=DateInput)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.actor = actor
        reached = actor.scope(Permission.SUPERVISE).organisations
        plans = Plan.objects.filter(organisation__within=reached)
        self.fields["plan"].queryset = plans.exclude(status=Plan.Status.REVIEW)
        self.fields["plan"].initial = self.fields["plan"].queryset.first()
        today = timezone.localdate()
        self.fields["begins"].initial = today.replace(day=1)
        self.fields["ends"].initial = today

    def save(self) -> Draft:
        """Draft it."""
        data = self.cleaned_data
        return drafting.make_draft(
            data["plan"],
            kind=Draft.Kind(data["kind"]),
            begins=data["begins"],
            ends=data["ends"],
            by=self.actor,
        )
