"""One inbox for all systems: what the signed-in person owes, the most pressing first."""

import datetime as dt

import django_filters as filters
from django.db.models import Count, F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from xuezheng.boards.access import Permission
from xuezheng.domains.oversight.access import Permission as HazardPermission
from xuezheng.kernel.access.guards import signed_in
from xuezheng.kernel.cases.flows import FLOWS
from xuezheng.kernel.cases.models import Case
from xuezheng.kernel.indicators.access import Permission as Figures
from xuezheng.kernel.ui.lists import list_context

SOON_DAYS = 7


class InboxFilter(filters.FilterSet):
    """By when it is due, by kind of case, and words."""

    due = filters.ChoiceFilter(
        label=gettext_lazy("期限"),
        method="by_due",
        choices=[
            ("overdue", gettext_lazy("已逾期")),
            ("soon", gettext_lazy("7天内到期")),
            ("urged", gettext_lazy("被催办")),
        ],
    )
    kind = filters.ChoiceFilter(label=gettext_lazy("类别"))
    q = filters.CharFilter(label=gettext_lazy("编号、事项或单位"), method="by_words")

    class Meta:
        model = Case
        fields = ()

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.filters["kind"].extra["choices"] = [(f.kind, f.label) for f in FLOWS.values()]

    def by_due(self, rows: QuerySet, _name: str, value: str) -> QuerySet:
        return rows.filter(DUE[value](timezone.localdate()))

    def by_words(self, rows: QuerySet, _name: str, words: str) -> QuerySet:
        for word in words.split():
            rows = rows.filter(
                Q(number__icontains=word)
                | Q(title__icontains=word)
                | Q(organisation__name__icontains=word)
            )
        return rows


DUE = {
    "overdue": lambda today: Q(due__lt=today),
    "soon": lambda today: Q(due__range=(today, today + dt.timedelta(days=SOON_DAYS))),
    "urged": lambda today: Q(urged_at__isnull=False),
}


@require_GET
@signed_in
def inbox(request: HttpRequest) -> HttpResponse:
    """Urged first, then by due day; the count of each group beside its chip."""
    today = timezone.localdate()
    owed = Case.objects.owed_by(request.actor)
    counts = owed.aggregate(
        all=Count("id"), **{name: Count("id", filter=make(today)) for name, make in DUE.items()}
    )
    rows = owed.select_related("organisation").order_by(
        F("urged_at").asc(nulls_last=True), F("due").asc(nulls_last=True), "id"
    )
    filterset = InboxFilter(request.GET, queryset=rows, request=request)
    context = list_context(request, filterset, title=_("待办"))
    context |= {
        "counts": counts,
        "chips": [
            ("", _("全部"), counts["all"]),
            ("overdue", _("已逾期"), counts["overdue"]),
            ("soon", _("7天内到期"), counts["soon"]),
            ("urged", _("被催办"), counts["urged"]),
        ],
        "today": today,
        "may_report": request.actor.can(HazardPermission.REPORT),
        "empty_title": "" if filterset.data else _("没有要您办的事"),
        "empty_text": "" if filterset.data else _("有事要办时会出现在这里，最急的排在最前。"),
    }
    return render(request, "boards/inbox.html", context)


@require_GET
@signed_in
def home(request: HttpRequest) -> HttpResponse:
    """Leaders begin at the board, a province at its districts, other posts at what they owe.

    Whoever holds no post, as families do, begins at their own page.
    """
    if not request.actor.posts:
        return redirect("my")
    if request.actor.can(Figures.SEE_PROVINCE):
        return redirect("province_board")
    return redirect("board" if request.actor.can(Permission.BOARD) else "inbox")
