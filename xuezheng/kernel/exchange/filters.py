"""Narrowing the list of imports."""

import django_filters as filters
from django.db.models import QuerySet
from django.utils.encoding import force_str
from django.utils.translation import gettext_lazy as _

from xuezheng.kernel.exchange.models import Batch, State
from xuezheng.kernel.exchange.table import tables


def _tables(request) -> list[tuple[str, str]]:
    return [
        (table.key, force_str(table.title))
        for table in tables().values()
        if request.actor.can(table.permission)
    ]


class BatchFilter(filters.FilterSet):
    """By list, state, and whether it is one's own."""

    table = filters.ChoiceFilter(label=_("名册"), choices=())
    state = filters.ChoiceFilter(label=_("状态"), choices=State.choices)
    mine = filters.BooleanFilter(label=_("我上传的"), method="only_mine")

    class Meta:
        model = Batch
        fields = ["table", "state"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.filters["table"].extra["choices"] = _tables(self.request)

    def only_mine(self, rows: QuerySet, _name: str, value: bool) -> QuerySet:
        """Those that the reader uploaded, or those of others."""
        own = rows.filter(user=self.request.user)
        return own if value else rows.exclude(pk__in=own)
