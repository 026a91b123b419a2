"""School years and terms of an authority."""

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.audit.trail import record
from xuezheng.registry.access import Permission
from xuezheng.registry.models import SchoolYear, Term
from xuezheng.registry.services.common import allowed, unique

Span = tuple[dt.date, dt.date]


def next_span(span: Span) -> Span:
    """The same days a year later; 29 February becomes the 28th."""
    return (_year_later(span[0]), _year_later(span[1]))


def _year_later(day: dt.date) -> dt.date:
    if (day.month, day.day) == (2, 29):
        return dt.date(day.year + 1, 2, 28)
    return day.replace(year=day.year + 1)


@transaction.atomic
def save_year(
    year: SchoolYear | None, *, organisation: Organisation, span: Span, terms: list[Span], by: Actor
) -> SchoolYear:
    """Create (None) or change a school year with its terms, in order.

    The code follows from the first day: 2026-2027.  Raises ValidationError for days out of order or
    outside the year, StepRefused for a year that exists.
    """
    post = allowed(by, Permission.SITE_EDIT, organisation.id)
    starts, ends = span
    if not starts < ends:
        raise ValidationError({"ends_on": _("截止日要晚于起始日。")})
    last = None
    for number, (first, end) in enumerate(terms, start=1):
        if not (starts <= first < end <= ends):
            message = _("第%d学期的日期要在学年之内，放假日晚于开学日。") % number
            raise ValidationError({f"term{number}_ends": message})
        if last and first <= last:
            raise ValidationError({f"term{number}_starts": _("两个学期不能重叠。")})
        last = end
    row = year or SchoolYear(organisation=organisation)
    row.code = f"{starts.year}-{starts.year + 1}"
    row.starts_on, row.ends_on = starts, ends
    with unique(_("这个学年已经设置过。")):
        row.save()
    for number, (first, end) in enumerate(terms, start=1):
        Term.objects.update_or_create(
            school_year=row, number=number, defaults={"starts_on": first, "ends_on": end}
        )
    record(
        "school_year.save",
        by=by,
        post=post,
        organisation_id=organisation.id,
        object_type="school_year",
        object_id=row.code,
    )
    return row
