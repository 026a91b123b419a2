"""What every list page has: filters in the URL, paging, a count."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django_filters import CharFilter, FilterSet

from xuezheng.kernel.ui.words import lost

PAGE_SIZES = (20, 50, 100)


class Pages(Paginator):
    """Pages of a list that are as quick at its end as at its beginning.

    A page is found by its keys, for which an index may do, and only its own rows are read whole; one
    beyond the middle is reached from the end.
    """

    def page(self, number: int | str) -> Page:
        """One page, in one query."""
        page = super().page(number)
        rows = self.object_list
        if not self.count or not isinstance(rows, QuerySet) or rows.query.distinct:
            return page
        first, last = page.start_index() - 1, page.end_index()
        ordered = rows
        if first > self.count / 2:
            ordered, first, last = rows.reverse(), self.count - last, self.count - first
        page.object_list = rows.filter(pk__in=ordered.values("pk")[first:last])
        return page


def list_context(request: HttpRequest, filterset: FilterSet, *, title: str) -> dict[str, Any]:
    """Context of templates/ui/list.html: title, filter form, page, count, whether filtered.

    `per_page` of the URL chooses among PAGE_SIZES; an unknown page number gives the nearest page.
    """
    size = request.GET.get("per_page", "")
    per_page = int(size) if size.isdigit() and int(size) in PAGE_SIZES else PAGE_SIZES[0]
    page = Pages(filterset.qs, per_page).get_page(request.GET.get("page"))
    active = [
        name
        for name, value in request.GET.items()
        if value and name not in {"page", "per_page", "export"}
    ]
    context = {
        "title": title,
        "filters": filterset.form,
        "page": page,
        "active_filters": active,
        "page_sizes": PAGE_SIZES,
    }
    if lost(filterset.form):
        context["empty_title"] = _("这次查找已失效")
        context["empty_text"] = _("查找的文字只在登录期间保留，请重新输入。")
    return context


def export_url(request: HttpRequest) -> str:
    """The present list as a workbook: same filters, all pages."""
    query = request.GET.copy()
    query.pop("page", None)
    query["export"] = "xlsx"
    return f"?{query.urlencode()}"


def narrowed_by(filterset: FilterSet) -> dict[str, Any]:
    """Which filters an export was narrowed by, for the trail.

    Free words are noted as used, not copied: in other systems they may be somebody's name.
    """
    used = {}
    for name, value in filterset.form.cleaned_data.items() if filterset.form.is_valid() else ():
        if value not in (None, "", []):
            free = isinstance(filterset.filters[name], CharFilter)
            used[name] = True if free else str(getattr(value, "pk", value))
    return used
