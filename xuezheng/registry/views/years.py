"""Pages of school years and terms."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from xuezheng.kernel.access.guards import requires
from xuezheng.registry import selectors
from xuezheng.registry.access import Permission
from xuezheng.registry.forms.places import YearForm
from xuezheng.registry.models import SchoolYear
from xuezheng.registry.services.years import save_year
from xuezheng.registry.views.common import form_page, page


@require_GET
@requires(Permission.SITE_EDIT)
def year_list(request: HttpRequest) -> HttpResponse:
    """Years of the authority, newest first."""
    rows = selectors.school_years(request.actor)
    context = {"title": _("学年与学期"), "years": rows, "today": timezone.localdate()}
    return page(request, "year_list", "home", context)


def _form(request: HttpRequest, year: SchoolYear | None, form: YearForm) -> HttpResponse:
    def call() -> SchoolYear:
        span, terms = form.spans()
        return save_year(
            year,
            organisation=selectors.authority(request.actor),
            span=span,
            terms=terms,
            by=request.actor,
        )

    back = reverse("year_list")
    return form_page(
        request,
        form,
        call,
        section="home",
        title=_("修改学年") if year else _("新建学年"),
        done=back,
        message=_("已保存。"),
        back=back,
        trail=[(back, _("学年与学期"))],
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.SITE_EDIT)
def year_add(request: HttpRequest) -> HttpResponse:
    """A new year; the days are those of the newest one, a year later."""
    newest = selectors.school_years(request.actor).first()
    initial = YearForm.initial_of(newest, later=True)
    return _form(request, None, YearForm(request.POST or None, initial=initial))


@require_http_methods(["GET", "POST"])
@requires(Permission.SITE_EDIT)
def year_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the days of a year and its terms."""
    year = get_object_or_404(selectors.school_years(request.actor), pk=pk)
    initial = YearForm.initial_of(year)
    return _form(request, year, YearForm(request.POST or None, initial=initial))
