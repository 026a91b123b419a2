"""A school's new children: list, roll call, registry, pupil-status file, balanced classes."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.exchange.placed import PLACED, import_file, layout
from xuezheng.domains.admissions.forms.school import DigitsForm, FileForm, PrepareForm, VoidForm
from xuezheng.domains.admissions.forms.school_filters import PlacedFilter
from xuezheng.domains.admissions.models import Application, ClassDraw, Season
from xuezheng.domains.admissions.services import arriving, classing
from xuezheng.domains.admissions.services.class_minutes import class_minutes
from xuezheng.domains.admissions.services.twins import groups_of
from xuezheng.domains.admissions.views import desk
from xuezheng.domains.admissions.views.draw import DOCX
from xuezheng.domains.admissions.views.proof import limit_files
from xuezheng.kernel.access.guards import public, requires
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.audit.trail import record, record_read
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.exchange.export import export_list
from xuezheng.kernel.exchange.workbook import MEDIA_TYPE
from xuezheng.kernel.ui.lists import export_url, list_context
from xuezheng.kernel.ui.steps import attempt

CHIPS = ("placed", "arrived", "absent")


@require_http_methods(["GET", "POST"])
@requires(Permission.SCHOOL)
def school_intake(request: HttpRequest) -> HttpResponse:
    """Children whom a published result gave to the reader's schools.  POST exports whole numbers."""
    rows = (
        arriving.at_school(request.actor)
        .select_related("case__organisation", "season", "entry")
        .order_by("-season__year", "case__organisation", "entry__initials", "pk")
    )
    filterset = PlacedFilter(request.GET, queryset=rows, request=request)
    if request.GET.get("export") or request.method == "POST":
        return export_list(request, PLACED, filterset.qs, may_reveal=True)
    context = list_context(request, filterset, title=_("录取新生"))
    if request.GET.get("w"):
        found = context["page"].paginator.count
        record_read(request, "placed.search", object_type="application", detail={"found": found})
    labels = dict(Application._meta.get_field("state").choices)
    pairs = rows.order_by().values_list("season", "case__organisation").distinct()
    seasons = Season.objects.in_bulk({season for season, _school in pairs})
    schools = Organisation.objects.in_bulk({school for _season, school in pairs})
    context |= {
        "chips": [("", _("全部")), *((key, labels[key]) for key in CHIPS)],
        "export_url": export_url(request),
        "intakes": [
            (seasons[season], schools[school])
            for season, school in sorted(pairs, key=lambda pair: (-pair[0], pair[1]))
            if seasons[season].state != Season.State.FINISHED
        ][:12],
    }
    return desk.page(request, "school_intake", "school", context)


def _intake(request: HttpRequest, season_id: int, code: str) -> tuple[Season, Organisation]:
    """A season and a school whose new children the reader receives; else 404."""
    season = get_object_or_404(Season, pk=season_id)
    reached = request.actor.scope(Permission.SCHOOL).organisations
    school = get_object_or_404(Organisation, code=code, id__within=reached)
    return season, school


def _rows(request: HttpRequest, season: Season, school: Organisation):
    rows = arriving.at_school(request.actor).filter(season=season, case__organisation=school)
    return (
        rows.select_related("case", "entry", "season", "register_dwelling__community",
                            "home_dwelling__community")
        .prefetch_related("parties")
        .order_by("entry__initials", "entry__name", "pk")
    )  # fmt: skip


def _address(name: str, season: Season, school: Organisation) -> str:
    return reverse(name, args=[season.id, school.code])


@require_http_methods(["GET", "POST"])
@requires(Permission.SCHOOL)
def school_call(request: HttpRequest, season_id: int, code: str) -> HttpResponse:
    """Roll call on the day of arrival: tick who came; at the end, who did not."""
    season, school = _intake(request, season_id, code)
    rows = list(_rows(request, season, school))
    if request.method == "POST":
        ticked = set(request.POST.getlist("row"))
        chosen = [row for row in rows if row.case.number in ticked]
        if request.POST.get("mark") == "absent":
            count = arriving.mark_absent(chosen, by=request.actor)
            text = ngettext("%d人未报到，已转镇街追踪。", "%d人未报到，已转镇街追踪。", count)
        else:
            count = arriving.mark_arrived(chosen, by=request.actor)
            text = ngettext("%d人已报到。", "%d人已报到。", count)
        messages.success(request, text % count)
        return redirect(_address("school_call", season, school))
    waiting = [row for row in rows if row.state == "placed"]
    record_read(
        request, "school.call", organisation_id=school.id, object_type="season",
        object_id=season.id, detail={"rows": len(rows)},
    )  # fmt: skip
    context = {
        "title": _("报到登记"),
        "season": season,
        "school": school,
        "waiting": waiting,
        "arrived": sum(row.state == "arrived" for row in rows),
        "absent": sum(row.state == "absent" for row in rows),
        "total": len(rows),
    }
    return desk.page(request, "school_call", "school", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.SCHOOL)
def school_file(request: HttpRequest, season_id: int, code: str) -> HttpResponse:
    """Checks before the national pupil-status file, then the file itself against a reason."""
    season, school = _intake(request, season_id, code)
    rows = [row for row in _rows(request, season, school) if row.state == "arrived"]
    problems = arriving.problems_of(rows)
    wrong = {problem.application.pk for problem in problems}
    form = FileForm(request.POST or None)
    if not wrong:
        del form.fields["leave_out"]
    if request.method == "POST" and form.is_valid():
        if wrong and not form.cleaned_data["leave_out"]:
            form.add_error("leave_out", _("还有问题没改。先改正，或勾选先不放进文件。"))
        else:
            good = [row for row in rows if row.pk not in wrong]
            record(
                "school.pupil_file",
                by=request.actor,
                post=request.actor.post_for(Permission.SCHOOL, school.id),
                organisation_id=school.id,
                object_type="season",
                object_id=season.id,
                reason=form.cleaned_data["reason"],
                detail={"rows": len(good), "left_out": len(wrong)},
            )
            response = HttpResponse(import_file(good), content_type=MEDIA_TYPE)
            name = f"pupils-{season.year}-{school.code}.xlsx"
            response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
            return response
    context = {
        "title": _("学籍导入文件"),
        "season": season,
        "school": school,
        "total": len(rows),
        "problems": problems,
        "form": form,
        "layout": layout(),
    }
    status = 422 if form.errors else 200
    return desk.page(request, "school_file", "school", context, status)


@require_POST
@requires(Permission.SCHOOL)
def school_enter(request: HttpRequest, season_id: int, code: str) -> HttpResponse:
    """Put the arrived children into the registry."""
    season, school = _intake(request, season_id, code)
    done = arriving.take_in(season=season, school=school, on=timezone.localdate(), by=request.actor)
    return _entered(request, season, school, done)


def _entered(
    request: HttpRequest, season: Season, school: Organisation, done: arriving.Entered
) -> HttpResponse:
    numbers = {"new": done.new, "known": done.known, "already": done.already}
    text = _("新建%(new)d人，由前一学段转接%(known)d人，已在册%(already)d人。") % numbers
    if not done.problems:
        messages.success(request, text)
        return redirect("school_intake")
    context = {
        "title": _("录入学籍"),
        "season": season,
        "school": school,
        "text": text,
        "problems": done.problems,
    }
    return desk.page(request, "school_entered", "school", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.SCHOOL)
def class_draw(request: HttpRequest, season_id: int, code: str) -> HttpResponse:
    """Balanced classes: prepare, draw, read the result.  POST prepares."""
    season, school = _intake(request, season_id, code)
    row = ClassDraw.objects.visible_to(request.actor).filter(
        season=season, school=school, void_reason=""
    ).first()  # fmt: skip
    rows = classing.arrived(season, school, by=request.actor)
    record_read(
        request, "school.classes", organisation_id=school.id, object_type="season",
        object_id=season.id, detail={"rows": len(rows)},
    )  # fmt: skip
    names = {one.entry.code: one.child_name for one in rows}
    context = {
        "title": _("阳光分班"),
        "season": season,
        "school": school,
        "row": row,
        "total": len(rows),
        "boys": sum(one.sex == "1" for one in rows),
        "girls": sum(one.sex == "2" for one in rows),
        "special": sum(one.special_needs for one in rows),
    }
    if row is None:
        groups = [
            (group, "、".join(names[key] for key in group), wish)
            for group, wish in groups_of(rows).items()
        ]
        form = PrepareForm(
            request.POST or None, groups=groups, teachers=classing.teachers_of(school),
            initial={"classes": _planned(season, school)},
        )  # fmt: skip
        if request.method == "POST" and form.is_valid():
            attempt(
                form,
                lambda: classing.prepare(
                    season=season, school=school, by=request.actor, **form.chosen()
                ),
            )
            if not form.errors:
                messages.success(request, _("名单已封存，承诺已生成，可以抽签。"))
                return redirect(request.path)
        context["form"] = form
        return desk.page(request, "class_draw", "school", context, 422 if form.errors else 200)
    context |= {"digits_form": DigitsForm(), "void_form": VoidForm()}
    return desk.page(request, "class_draw", "school", context | _result(row, rows))


def _planned(season: Season, school: Organisation) -> int:
    intake = season.intakes.filter(school=school).first()
    return intake.classes if intake else 1


def _result(row: ClassDraw, rows: list[Application]) -> dict[str, object]:
    """The classes of a draw with their children, for the school's own eyes."""
    if not row.drawn_at:
        return {}
    at, about = row.result["classes"], {one.entry.code: one for one in rows}
    teachers = {int(key): number for key, number in row.result["teachers"].items()}
    names = {post.id: str(post.user) for post in classing.teachers_of(row.school)}
    classes = []
    for number in range(1, row.given["classes"] + 1):
        children = [about[code] for code, where in at.items() if where == number and code in about]
        leads = [names.get(key, "") for key, where in teachers.items() if where == number]
        classes.append(
            {
                "number": number,
                "children": sorted(children, key=lambda one: (one.entry.initials, one.pk)),
                "boys": sum(one.sex == "1" for one in children),
                "girls": sum(one.sex == "2" for one in children),
                "teacher": "、".join(leads),
            }
        )
    return {"classes": classes, "unmet": len(row.result["unmet"])}


@require_POST
@requires(Permission.SCHOOL)
def class_draw_act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """Draw, carry out, or make void."""
    rows = ClassDraw.objects.visible_to(request.actor).select_related("season", "school")
    row = get_object_or_404(rows, pk=pk)
    back = _address("class_draw", row.season, row.school)
    form = {"draw": DigitsForm, "void": VoidForm}.get(act, FileForm)(request.POST)
    try:
        if act == "draw" and form.is_valid():
            classing.draw_classes(row, by=request.actor, **form.cleaned_data)
            messages.success(request, _("已分班，结果和核对方法已公开。"))
        elif act == "void" and form.is_valid():
            classing.make_void(row, by=request.actor, **form.cleaned_data)
            messages.success(request, _("已作废，可以重新分班。"))
        elif act == "carry-out":
            done = classing.carry_out(row, by=request.actor)
            return _entered(request, row.season, row.school, done)
        elif act not in {"draw", "void"}:
            raise Http404
        else:
            messages.warning(request, " ".join(m for texts in form.errors.values() for m in texts))
    except StepRefused as refused:
        messages.warning(request, str(refused))
    return redirect(back)


@require_GET
@requires(Permission.SCHOOL)
def class_draw_minutes(request: HttpRequest, pk: int) -> HttpResponse:
    """The minutes of a draw into classes as a document to be signed: codes, no names."""
    rows = ClassDraw.objects.visible_to(request.actor).select_related("season", "school")
    row = get_object_or_404(rows, pk=pk)
    response = HttpResponse(class_minutes(row), content_type=DOCX)
    response.headers["Content-Disposition"] = f'attachment; filename="classes-{row.pk}.docx"'
    return response


def _published(pk: int) -> ClassDraw:
    rows = ClassDraw.objects.published().select_related("season", "school")
    return get_object_or_404(rows, pk=pk)


@require_GET
@public
def class_proof(request: HttpRequest, pk: int) -> HttpResponse:
    """What anybody may check of a draw into classes: codes only."""
    row = _published(pk)
    context = {"title": _("阳光分班公开"), "row": row, "count": len(row.given["children"])}
    return render(request, "admissions/class_proof.html", context)


@require_GET
@public
def class_proof_file(request: HttpRequest, pk: int) -> HttpResponse:
    """List, seed and result as JSON."""
    row = _published(pk)
    limit_files(request, row.season)
    # Of teachers and of twins the file names posts and pairs of codes; nothing says who that is.
    content = {
        "school": row.school.code, "season": str(row.season), "root": row.root,
        "commitment": row.commitment, "secret": row.secret, "digits": row.digits,
        "seed": row.seed, "given": row.given, "sha256": row.sha256,
        "classes": row.result["classes"], "teachers": row.result["teachers"],
        "unmet": row.result["unmet"],
    }  # fmt: skip
    response = JsonResponse(content, json_dumps_params={"ensure_ascii": False, "indent": 1})
    response["Content-Disposition"] = f'attachment; filename="classes-{row.pk}.json"'
    return response
