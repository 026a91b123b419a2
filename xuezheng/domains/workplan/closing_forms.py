"""Forms of closings.  Each `save` calls one service."""

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from xuezheng.domains.workplan.models import Closing, Commitment
from xuezheng.domains.workplan.round_forms import NoteForm, ReasonForm
from xuezheng.domains.workplan.services import closing
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.ui.cases import StepPage
from xuezheng.kernel.ui.uploads import UploadsField


class ClosingForm(forms.Form):
    """The office says that everything is done, and shows it."""

    statement = forms.CharField(
        label=gettext_lazy("完成情况"), max_length=2000, widget=forms.Textarea({"rows": 5})
    )
    evidence = UploadsField(label=gettext_lazy("佐证材料"), maximum=10)
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    def __init__(self, *args: Any, commitment: Commitment, actor: Actor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.commitment, self.actor = commitment, actor

    def save(self) -> Closing:
        """Apply."""
        return closing.apply_closing(self.commitment, by=self.actor, **self.cleaned_data)


class CheckForm(NoteForm):
    service = staticmethod(closing.check_closing)


class RefuseForm(ReasonForm):
    service = staticmethod(closing.refuse_closing)


class ApproveForm(NoteForm):
    service = staticmethod(closing.approve_closing)


class DeclineForm(ReasonForm):
    service = staticmethod(closing.decline_closing)


#: URL name of a step -> how it is taken on the page.
CLOSING_FORMS = {
    "check": StepPage(CheckForm, ("check",), gettext_lazy("核查通过")),
    "refuse": StepPage(RefuseForm, ("refuse",), gettext_lazy("退回")),
    "approve": StepPage(ApproveForm, ("approve",), gettext_lazy("批准销号")),
    "decline": StepPage(DeclineForm, ("decline",), gettext_lazy("不同意")),
}
