"""Pages of classes."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.audit.trail import record_read
from xuezheng.registry import selectors
from xuezheng.registry.access import Permission
from xuezheng.registry.exchange import CLASSES
from xuezheng.registry.filters import ClassFilter
from xuezheng.registry.forms.places import ClassesForm, CloseClassForm, RenameClassForm
from xuezheng.registry.lists import word
from xuezheng.registry.models import Pupil, SchoolClass
from xuezheng.registry.services import classes
from xuezheng.registry.views.common import form_page, list_page, page


@require_http_methods(["GET", "POST"])
@requires(Permission.SITE_SEE)
def school_class_list(request: HttpRequest) -> HttpResponse:
    """Classes in reach with their numbers of pupils."""
    actor = request.actor
    rows = (
        SchoolClass.objects.visible_to(actor)
        .select_related("organisation")
        .order_by("organisation__order", "organisation", "stage", "-entry_year", "number")
    )
    filterset = ClassFilter(request.GET, queryset=rows, request=request)

    def prepare(shown: list[SchoolClass]) -> dict[str, object]:
        counts = selectors.headcount({row.organisation_id for row in shown})
        for row in shown:
            row.pupil_count = counts.by_class.get(row.id, 0)
        return {}

    return list_page(
        request,
        filterset,
        section="classes",
        template="school_class_list",
        title=_("班级"),
        table=CLASSES,
        may_export=True,
        prepare=prepare,
        chips=[("", _("在办")), ("past", _("已撤销或毕业"))],
        may_edit=actor.can(Permission.CLASS_EDIT),
    )


def _class(request: HttpRequest, pk: int, permission: str = Permission.SITE_SEE) -> SchoolClass:
    rows = SchoolClass.objects.visible_to(request.actor).filter(
        organisation__within=request.actor.scope(permission).organisations
    )
    return get_object_or_404(rows.select_related("organisation"), pk=pk)


@require_GET
@requires(Permission.SITE_SEE)
def school_class_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One class; its pupils for whoever may see them."""
    row = _class(request, pk)
    actor = request.actor
    may_see = row.organisation_id in actor.scope(Permission.PUPIL_SEE)
    pupils = []
    if may_see:
        pupils = list(
            Pupil.objects.visible_to(actor)
            .live()
            .filter(school_class=row)
            .order_by("initials", "id")
        )
        for pupil in pupils:
            pupil.status_word = word("status", pupil.status)
        record_read(
            request,
            "class.open",
            organisation_id=row.organisation_id,
            object_type="class",
            object_id=row.id,
        )
    counts = selectors.headcount([row.organisation_id])
    by_sex = [(pupil.get_sex_display(), pupil.sex) for pupil in pupils]
    context = {
        "title": f"{row.organisation} {row}",
        "row": row,
        "pupils": pupils,
        "boys": sum(1 for _word, sex in by_sex if sex == "1"),
        "girls": sum(1 for _word, sex in by_sex if sex == "2"),
        "count": counts.by_class.get(row.id, 0),
        "may_see": may_see,
        "may_edit": row.organisation_id in actor.scope(Permission.CLASS_EDIT),
        "may_add": row.organisation_id in actor.scope(Permission.PUPIL_EDIT),
    }
    return page(request, "school_class_detail", "classes", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.CLASS_EDIT)
def school_class_add(request: HttpRequest) -> HttpResponse:
    """Open several classes at once."""
    form = ClassesForm(request.POST or None, actor=request.actor)
    back = reverse("school_class_list")
    return form_page(
        request,
        form,
        lambda: classes.create_classes(**form.cleaned_data, by=request.actor),
        section="classes",
        title=_("新建班级"),
        lead=_("班号接着已有的往下排；不用做升级，年级按日期推算。"),
        done=back,
        message=_("已新建。"),
        back=back,
        trail=[(back, _("班级"))],
    )


def _trail(row: SchoolClass) -> list[tuple[str, str]]:
    return [
        (reverse("school_class_list"), _("班级")),
        (reverse("school_class_detail", args=[row.pk]), f"{row.organisation} {row}"),
    ]


@require_http_methods(["GET", "POST"])
@requires(Permission.CLASS_EDIT)
def school_class_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Name a class."""
    row = _class(request, pk, Permission.CLASS_EDIT)
    initial = {"name": row.name, "version": row.version}
    form = RenameClassForm(request.POST or None, initial=initial)
    back = reverse("school_class_detail", args=[pk])
    return form_page(
        request,
        form,
        lambda: classes.rename_class(row, **form.cleaned_data, by=request.actor),
        section="classes",
        title=_("班级名称"),
        done=back,
        message=_("已保存。"),
        back=back,
        trail=_trail(row),
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.CLASS_EDIT)
def school_class_close(request: HttpRequest, pk: int) -> HttpResponse:
    """Close a class."""
    row = _class(request, pk, Permission.CLASS_EDIT)
    form = CloseClassForm(request.POST or None, initial={"version": row.version})
    back = reverse("school_class_detail", args=[pk])
    return form_page(
        request,
        form,
        lambda: classes.close_class(row, **form.cleaned_data, by=request.actor),
        section="classes",
        title=_("撤班"),
        submit=_("撤班"),
        done=back,
        message=_("已撤班。"),
        back=back,
        trail=_trail(row),
    )
