"""Pages of classes."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.audit.trail import record_read
from xuezheng.kernel.ui.steps import attempt
from xuezheng.registry import selectors
from xuezheng.registry.access import Permission
from xuezheng.registry.exchange import CLASSES
from xuezheng.registry.filters import ClassFilter
from xuezheng.registry.forms.base import ReasonForm
from xuezheng.registry.forms.places import (
    ClassesForm,
    CloseClassForm,
    GraduateForm,
    RenameClassForm,
)
from xuezheng.registry.lists import word
from xuezheng.registry.models import Pupil, SchoolClass
from xuezheng.registry.services import classes, graduating
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
        "may_graduate": bool(pupils)
        and row.organisation_id in actor.scope(Permission.PUPIL_EDIT)
        and graduating.may_go(row),
        "may_take_back": actor.scope(Permission.PUPIL_EDIT).everything
        and graduating.graduated(row).exists(),
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


@require_http_methods(["GET", "POST"])
@requires(Permission.PUPIL_EDIT)
def school_class_graduate(request: HttpRequest, pk: int) -> HttpResponse:
    """A whole leaving class: day and exceptions, then a preview with numbers, then the act."""
    row = _class(request, pk, Permission.PUPIL_EDIT)
    first, last = graduating.span_of(row)
    pupils = list(graduating.leaving(row).visible_to(request.actor))
    initial = {"on": max(first, min(last, timezone.localdate()))}
    form = GraduateForm(request.POST or None, pupils=pupils, initial=initial)
    back = reverse("school_class_detail", args=[pk])
    context = {
        "form": form,
        "title": _("整班毕业"),
        "lead": _("毕业日期在%(first)s至%(last)s之间；休学的学生不随班毕业。")
        % {"first": first.isoformat(), "last": last.isoformat()},
        "submit": _("看看会发生什么"),
        "cancel_url": back,
        "trail": _trail(row),
    }
    if request.method == "POST" and form.is_valid():
        attempt(form, lambda: graduating.check_day(row, form.cleaned_data["on"]))
    if request.method != "POST" or form.errors:
        return page(request, "form", "classes", context, 422 if form.errors else 200)
    if request.POST.get("sure"):
        gone = attempt(
            form, lambda: graduating.graduate(row, **form.cleaned_data, by=request.actor)
        )
        if form.errors:
            return page(request, "form", "classes", context, 422)
        messages.success(
            request, ngettext("已办理%d名学生毕业离校。", "已办理%d名学生毕业离校。", gone) % gone
        )
        return redirect(back)
    without = len(form.cleaned_data["without"])
    day, staying = form.cleaned_data["on"].isoformat(), row.pupils.count() - len(pupils)
    going = len(pupils) - without
    effects = [
        ngettext(
            "%(count)d名学生毕业，就读到%(day)s。", "%(count)d名学生毕业，就读到%(day)s。", going
        )
        % {"count": going, "day": day}
    ]
    if without:
        effects.append(
            ngettext(
                "%(count)d名学生结业，就读到%(day)s。",
                "%(count)d名学生结业，就读到%(day)s。",
                without,
            )
            % {"count": without, "day": day}
        )
    if staying:
        effects.append(
            ngettext(
                "%d名休学学生留在班里，请另行调班；班级暂不撤销。",
                "%d名休学学生留在班里，请另行调班；班级暂不撤销。",
                staying,
            )
            % staying
        )
    else:
        effects.append(_("班级随之撤销。"))
    effects.append(_("办错了由学籍管理员撤回，学生恢复在班。"))
    return page(request, "succession_preview", "classes", context | {"effects": effects})


@require_http_methods(["GET", "POST"])
@requires(Permission.PUPIL_EDIT)
def school_class_take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Undo the leaving of a class; for whoever reaches every school."""
    row = _class(request, pk, Permission.PUPIL_EDIT)
    if not request.actor.scope(Permission.PUPIL_EDIT).everything:
        raise Http404
    form = ReasonForm(request.POST or None)
    back = reverse("school_class_detail", args=[pk])
    count = graduating.graduated(row).count()
    return form_page(
        request,
        form,
        lambda: graduating.take_back(row, **form.cleaned_data, by=request.actor),
        section="classes",
        title=_("撤回毕业"),
        lead=ngettext(
            "%d名毕业或结业后未再就读的学生恢复在班，离校记录取消。",
            "%d名毕业或结业后未再就读的学生恢复在班，离校记录取消。",
            count,
        )
        % count,
        submit=_("撤回毕业"),
        done=back,
        message=_("已撤回。"),
        back=back,
        trail=_trail(row),
    )
