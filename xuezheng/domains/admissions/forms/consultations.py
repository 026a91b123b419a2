"""Forms of a consultation on service areas: draft, steps, opinions, comments, answers."""

import uuid
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.models import Season
from xuezheng.domains.admissions.selectors import admission_settings, working_days
from xuezheng.domains.admissions.services import consulting
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.ui.cases import StepPage
from xuezheng.kernel.ui.forms import DateInput
from xuezheng.kernel.ui.steps import StepForm
from xuezheng.kernel.ui.uploads import UploadsField


class TextsForm(forms.Form):
    """What a draft says."""

    explanation = forms.CharField(
        label=_("调整说明"), max_length=8000, widget=forms.Textarea({"rows": 8}),
        help_text=_("为什么调整、依据、影响的范围和学生数。会向公众公开，不写个人姓名。"),
    )  # fmt: skip
    transition = forms.CharField(
        label=_("过渡办法"), max_length=4000, widget=forms.Textarea({"rows": 4}),
        help_text=_("已购房、已落户的家庭怎么过渡，到哪一年为止；不设过渡期也要写明。"),
    )  # fmt: skip


class DraftForm(TextsForm):
    """A new consultation."""

    season = forms.ModelChoiceField(Season.objects.none(), label=_("招生批次"), empty_label=None)
    files = UploadsField(label=_("方案附件"), required=False, maximum=6)
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    field_order = ("season", "explanation", "transition", "files", "key")

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        reached = actor.scope(Permission.ZONES).organisations
        self.fields["season"].queryset = Season.objects.filter(
            organisation__within=reached, state=Season.State.PREPARING
        )


class EditForm(TextsForm):
    """The texts of a draft again."""

    version = forms.IntegerField(widget=forms.HiddenInput)


class _NoteForm(StepForm):
    note = forms.CharField(
        label=_("说明"), required=False, max_length=500, widget=forms.Textarea({"rows": 2})
    )


class AskForm(_NoteForm):
    def save(self) -> None:
        """Send to towns and offices."""
        data = self.cleaned_data
        consulting.ask_offices(self.row, note=data["note"], version=data["version"], by=self.actor)


class OpenForm(_NoteForm):
    until = forms.DateField(label=_("征求到哪天"), widget=DateInput)
    field_order = ("until", "note", "version")

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        settings = admission_settings(timezone.localdate(), self.actor.authority_code)
        self.fields["until"].initial = working_days(settings, "reply_days", timezone.localdate())

    def save(self) -> None:
        """Open to the public."""
        data = self.cleaned_data
        consulting.open_to_public(
            self.row, until=data["until"], note=data["note"], version=data["version"],
            by=self.actor,
        )  # fmt: skip


class SubmitForm(_NoteForm):
    def save(self) -> None:
        """Send to the legality review."""
        data = self.cleaned_data
        consulting.send_to_review(
            self.row, note=data["note"], version=data["version"], by=self.actor
        )


class PassForm(StepForm):
    opinion = forms.CharField(
        label=_("合法性审查意见"), max_length=2000, widget=forms.Textarea({"rows": 4})
    )
    files = UploadsField(label=_("审查意见书"), required=False, maximum=3)

    def save(self) -> None:
        """Record the opinion."""
        data = self.cleaned_data
        consulting.pass_review(
            self.row, opinion=data["opinion"], uploads=data["files"],
            version=data["version"], by=self.actor,
        )  # fmt: skip


class PublishForm(_NoteForm):
    meeting_number = forms.CharField(label=_("会议编号"), max_length=60)
    document_number = forms.CharField(label=_("文号"), max_length=60)
    field_order = ("meeting_number", "document_number", "note", "version")

    def save(self) -> None:
        """Publish."""
        data = self.cleaned_data
        consulting.publish(
            self.row, meeting_number=data["meeting_number"],
            document_number=data["document_number"], note=data["note"],
            version=data["version"], by=self.actor,
        )  # fmt: skip


class _WhyForm(StepForm):
    note = forms.CharField(label=_("理由"), max_length=500, widget=forms.Textarea({"rows": 2}))


class RedraftForm(_WhyForm):
    def save(self) -> None:
        """Back to the draft."""
        data = self.cleaned_data
        consulting.redraft(self.row, note=data["note"], version=data["version"], by=self.actor)


class DropForm(_WhyForm):
    def save(self) -> None:
        """Give it up."""
        data = self.cleaned_data
        consulting.drop(self.row, note=data["note"], version=data["version"], by=self.actor)


#: URL name of a step -> how it is taken on the page.
STEP_FORMS = {
    "ask": StepPage(AskForm, ("ask",), _("送镇街部门")),
    "open": StepPage(OpenForm, ("open",), _("公开征求意见")),
    "submit": StepPage(SubmitForm, ("submit",), _("送合法性审查")),
    "pass": StepPage(PassForm, ("pass",), _("记录审查意见")),
    "publish": StepPage(PublishForm, ("publish",), _("公布")),
    "redraft": StepPage(RedraftForm, ("redraft",), _("退回修改")),
    "drop": StepPage(DropForm, ("drop",), _("不再推进")),
}


class ReplyForm(forms.Form):
    """The opinion of a town or office."""

    organisation = forms.ModelChoiceField(
        Organisation.objects.none(), label=_("单位"), empty_label=None
    )
    text = forms.CharField(
        label=_("意见"), max_length=2000, widget=forms.Textarea({"rows": 4}),
        help_text=_("没有意见也请写“无意见”。"),
    )  # fmt: skip

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        posts = [
            post.organisation_id
            for post in getattr(actor, "posts", [])
            if post.organisation_id in actor.scope(Permission.ZONES_REPLY)
        ]
        self.fields["organisation"].queryset = Organisation.objects.filter(id__in=posts)
        if len(set(posts)) == 1:
            self.fields["organisation"].initial = posts[0]
            self.fields["organisation"].widget = forms.HiddenInput()


class CommentForm(forms.Form):
    """A comment of the public."""

    text = forms.CharField(
        label=_("您的意见"), max_length=1000, widget=forms.Textarea({"rows": 5}),
        help_text=_("不用写姓名和电话。意见和答复会公开。"),
    )  # fmt: skip


class AnswerForm(forms.Form):
    """The answer to one opinion."""

    adopted = forms.ChoiceField(
        label=_("是否采纳"), widget=forms.RadioSelect,
        choices=[("yes", _("采纳")), ("no", _("不采纳"))],
    )  # fmt: skip
    answer = forms.CharField(label=_("答复"), max_length=1000, widget=forms.Textarea({"rows": 3}))
