"""Forms of rounds, stand-ins, closings and outside units.  Each `save` calls one service."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from xuezheng.domains.workplan.access import Permission
from xuezheng.domains.workplan.models import Plan, Round, StandIn
from xuezheng.domains.workplan.services import acting, rounds
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation, User
from xuezheng.kernel.ui.cases import StepPage
from xuezheng.kernel.ui.forms import DateInput
from xuezheng.kernel.ui.steps import StepForm
from xuezheng.kernel.ui.uploads import UploadsField


class FillForm(StepForm):
    """What the office says this time; the text of last time stands in it to begin with."""

    text = forms.CharField(
        label=gettext_lazy("本期进展"),
        max_length=rounds.LONGEST_TEXT,
        widget=forms.Textarea({"rows": 5}),
    )
    evidence = UploadsField(label=gettext_lazy("佐证材料"), maximum=5, required=False)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["text"].initial = self.row.text or self.row.carried

    def save(self) -> Any:
        """Hand the report on."""
        data = self.cleaned_data
        return rounds.report_progress(
            self.row,
            text=data["text"],
            evidence=data["evidence"],
            version=data["version"],
            by=self.actor,
        )


class NoteForm(StepForm):
    """A step with a remark; `service` takes it."""

    note = forms.CharField(
        label=gettext_lazy("意见"),
        required=False,
        max_length=500,
        widget=forms.Textarea({"rows": 2}),
    )
    service: Any = None

    def save(self) -> Any:
        """Take the step."""
        data = self.cleaned_data
        return type(self).service(
            self.row, note=data["note"], version=data["version"], by=self.actor
        )


class ReasonForm(NoteForm):
    """A step that must say why."""

    note = forms.CharField(
        label=gettext_lazy("理由"), max_length=500, widget=forms.Textarea({"rows": 2})
    )


class ConfirmForm(NoteForm):
    service = staticmethod(rounds.confirm_report)


class ReworkForm(ReasonForm):
    service = staticmethod(rounds.rework_report)


class SignForm(NoteForm):
    service = staticmethod(rounds.sign_report)


class ObjectForm(ReasonForm):
    service = staticmethod(rounds.object_to_report)


class TakeInForm(NoteForm):
    service = staticmethod(rounds.accept_report)


class SendBackForm(ReasonForm):
    service = staticmethod(rounds.return_report)


#: URL name of a step -> how it is taken on the page.
ROUND_FORMS = {
    "fill": StepPage(FillForm, ("fill", "submit"), gettext_lazy("报出")),
    "confirm": StepPage(ConfirmForm, ("confirm",), gettext_lazy("确认")),
    "rework": StepPage(ReworkForm, ("rework",), gettext_lazy("退回经办人")),
    "sign": StepPage(SignForm, ("sign",), gettext_lazy("签字")),
    "object": StepPage(ObjectForm, ("object",), gettext_lazy("不签，退回科室")),
    "accept": StepPage(TakeInForm, ("accept",), gettext_lazy("收下")),
    "return": StepPage(SendBackForm, ("return",), gettext_lazy("退回")),
}
#: Steps that only the person in the post, or whoever stands in, may take.
OF_THE_POST = {"confirm": "confirm", "rework": "confirm", "sign": "sign", "object": "sign"}


class PlanRoundsForm(forms.Form):
    """How often offices report."""

    months = forms.ChoiceField(
        label=gettext_lazy("填报频次"),
        choices=[("1", gettext_lazy("每月")), ("3", gettext_lazy("每季度"))],
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, plan: Plan, actor: Actor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.plan, self.actor = plan, actor

    def save(self) -> list[Round]:
        """Make the year's rounds."""
        return rounds.plan_rounds(self.plan, months=int(self.cleaned_data["months"]), by=self.actor)


class StandInForm(forms.Form):
    """Who acts for whom, from when to when."""

    organisation = forms.ModelChoiceField(
        Organisation.objects.none(), label=gettext_lazy("科室（领导选教育局）")
    )
    absent = forms.ModelChoiceField(User.objects.none(), label=gettext_lazy("A岗（本人）"))
    deputy = forms.ModelChoiceField(User.objects.none(), label=gettext_lazy("B岗（代办）"))
    starts_on = forms.DateField(label=gettext_lazy("自"), widget=DateInput)
    ends_on = forms.DateField(label=gettext_lazy("至"), widget=DateInput)

    def __init__(self, *args: Any, plan: Plan, actor: Actor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.actor = actor
        scope = actor.scope(Permission.EDIT).organisations
        offices = Organisation.objects.filter(id__in=scope, closed__isnull=True)
        self.fields["organisation"].queryset = offices.filter(
            kind__in=("bureau", "office")
        ).order_by("order")
        acting_people = acting.people_of_rounds(scope)
        self.fields["absent"].queryset = acting_people
        self.fields["deputy"].queryset = acting_people

    def save(self) -> StandIn:
        """Write it."""
        data = self.cleaned_data
        return acting.set_stand_in(by=self.actor, **data)
