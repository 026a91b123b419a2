"""What every list page has: filters in the URL, paging, a count."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest
from django_filters import CharFilter, FilterSet

PAGE_SIZES = (20, 50, 100)


def list_context(request: HttpRequest, filterset: FilterSet, *, title: str) -> dict[str, Any]:
    """Context of templates/ui/list.html: title, filter form, page, count, whether filtered.

    `per_page` of the URL chooses among PAGE_SIZES; an unknown page number gives the nearest page.
    """
    size = request.GET.get("per_page", "")
    per_page = int(size) if size.isdigit() and int(size) in PAGE_SIZES else PAGE_SIZES[0]
    page = Paginator(filterset.qs, per_page).get_page(request.GET.get("page"))
    active = [
        name
        for name, value in request.GET.items()
        if value and name not in {"page", "per_page", "export"}
    ]
    return {
        "title": title,
        "filters": filterset.form,
        "page": page,
        "active_filters": active,
        "page_sizes": PAGE_SIZES,
    }


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
            free = type(filterset.filters[name]) is CharFilter
            used[name] = True if free else str(getattr(value, "pk", value))
    return used
