"""A family's draft on a phone: guide and consent, one thing a page, check, hand in."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.answers import Faults
from xuezheng.domains.admissions.forms.family import ADDRESS, FORMS, PageForm
from xuezheng.domains.admissions.models import (
    Application,
    Check,
    Draft,
    Intake,
    PaperKind,
    Party,
    PathRequest,
    Season,
)
from xuezheng.domains.admissions.selectors import admission_settings, open_seasons
from xuezheng.domains.admissions.services import drafting, showing, twins
from xuezheng.kernel.access.fence import Refusal
from xuezheng.kernel.access.guards import public, requires
from xuezheng.kernel.access.limits import TooMany, limited
from xuezheng.kernel.access.scope import authority_code
from xuezheng.kernel.cases.models import Case
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.ui.uploads import UploadsField

#: Page -> (title on the progress bar, question, why it is asked).
PAGES = {
    "child": (
        gettext_lazy("孩子信息"),
        gettext_lazy("给哪个孩子登记？"),
        gettext_lazy("照户口簿或出生证填写，用来核对身份。"),
    ),
    "guardian": (
        gettext_lazy("监护人信息"),
        gettext_lazy("您是孩子的什么人？"),
        gettext_lazy("填完这一页，我们就去相关部门核对，核对上的不用交材料。"),
    ),
    "register": (
        gettext_lazy("户籍情况"),
        gettext_lazy("孩子的户口在哪里？"),
        gettext_lazy("用来匹配服务区学校，能核验的不用传材料。"),
    ),
    "home": (
        gettext_lazy("住房情况"),
        gettext_lazy("孩子现在住在哪里？"),
        gettext_lazy("用来匹配服务区学校，能核验的不用传材料。"),
    ),
    "more": (
        gettext_lazy("其他情况"),
        gettext_lazy("还有这些情况吗？"),
        gettext_lazy("没有就直接点“保存并继续”。"),
    ),
    "twins": (
        gettext_lazy("双胞胎意愿"),
        gettext_lazy("同一天出生的孩子怎样安排？"),
        gettext_lazy(
            "同校按各自次序里靠后的一个算，最后只剩一个学位时一起改到下一所；班级的意愿由学校分班时照顾，做不到的会说明。"
        ),
    ),
    "choices": (
        gettext_lazy("填报志愿"),
        gettext_lazy("想报哪些学校？"),
        gettext_lazy("最想去的填在前面；不填就按服务区安排。"),
    ),
    "papers": (
        gettext_lazy("补充材料"),
        gettext_lazy("请拍照上传这些材料"),
        gettext_lazy("只要数据没有核对上的材料，其余的不用交。"),
    ),
}
#: Key of Answers -> the page that asks for it, for faults found when a draft is handed in.
PAGE_OF = {
    "guardian_name": "guardian", "guardian_id": "guardian", "relation": "guardian",
    "phone": "guardian", "home": "home", "share": "home", "grandparents_agreed": "home",
    "intakes": "choices", "together": "twins", "register": "register",
}  # fmt: skip


class AlreadySent(Refusal):
    """The draft was handed in, here or on another device: to its reference."""

    def __init__(self, number: str):
        super().__init__(number)
        self.number = number

    def response(self, request: HttpRequest) -> HttpResponseBase:
        """The page with the reference."""
        return redirect("my_application_sent", self.number)


@dataclass(frozen=True)
class StepLink:
    """A page of the draft in the list of tasks."""

    key: str
    label: Any
    number: int
    done: bool


def _limit(request: HttpRequest, kind: str, season: Season) -> None:
    """Count one act of the kind.  Raises TooMany."""
    today = timezone.localdate()
    settings = admission_settings(today, authority_code(season.organisation_id, today))
    limited(request, f"enrol.{kind}", per_hour=settings[f"{kind}_per_hour"].value)


def _draft(request: HttpRequest, pk: uuid.UUID) -> Draft:
    own = Draft.objects.visible_to(request.actor).select_related("season")
    draft = own.filter(pk=pk).first()
    if draft is None:
        number = drafting.earlier_number(pk, request.actor)
        raise AlreadySent(number) if number else Http404
    if number := drafting.answers_in(draft).get("number"):
        raise AlreadySent(number)
    return draft


def _steps(draft: Draft, given: Mapping[str, Any]) -> list[StepLink]:
    keys = ["child", "guardian", "register", "home", "more"]
    if given.get("twin") or twins.same_day(draft, given):
        keys.append("twins")
    if Intake.objects.filter(season=draft.season_id, mode=Intake.Mode.CHOICE).exists():
        keys.append("choices")
    needed = drafting.papers_needed(given)
    if needed or any(given.get("papers", {}).values()):
        keys.append("papers")
    made = []
    for number, key in enumerate(keys, start=1):
        if key == "papers":
            done = all(given.get("papers", {}).get(kind) for kind in needed)
        else:
            done = FORMS[key](given=given, season=draft.season).as_stored().is_valid()
        made.append(StepLink(key, PAGES[key][0], number, done))
    return made


# -- before a draft --------------------------------------------------------------------------------
@require_GET
@public
def enrol(request: HttpRequest) -> HttpResponse:
    """The public first page: what, for whom, when; coming first is no advantage."""
    seasons = Season.objects.announced().select_related("organisation")
    rows = seasons.exclude(state=Season.State.FINISHED).order_by("level", "-year")
    now = timezone.now()
    told = [(row, row.takes_applications(now)) for row in rows]
    context = {
        # What can be done now stands first.
        "seasons": sorted(told, key=lambda pair: not pair[1]),
        "sign_in": f"{reverse('sign_in')}?next={reverse('my_admissions')}",
    }
    return render(request, "admissions/enrol.html", context)


@never_cache
@require_GET
@requires(Permission.APPLY)
def my_admissions(request: HttpRequest) -> HttpResponse:
    """The family's children: drafts, registrations, special paths; and one more child."""
    drafts = []
    for row in Draft.objects.visible_to(request.actor).select_related("season"):
        given = drafting.answers_in(row)
        if not given.get("number"):
            drafts.append((row, given.get("child_name", "")))
    rows = showing.family_rows(Application.objects.visible_to(request.actor), request.actor)
    waiting = Party.objects.filter(user=request.user, confirmed=False, main=False)
    paths = PathRequest.objects.visible_to(request.actor).filter(applicant=request.user)
    context = {
        "drafts": drafts,
        "applications": rows.select_related("case", "season").order_by("-case__opened_at"),
        "waiting": Case.objects.filter(id__in=waiting.values("application_id")),
        "paths": paths.select_related("case").order_by("-case__opened_at"),
        "kinds": PathRequest.Kind.choices,
        "seasons": open_seasons(),
    }
    return render(request, "admissions/my_admissions.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
@requires(Permission.APPLY)
def my_draft_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Guide and consent of a season; agreeing begins a draft."""
    season = get_object_or_404(Season.objects.announced(), pk=pk)
    wrong = ""
    if request.method == "POST":
        if request.POST.get("agreed") != "1" or request.POST.get("guardian") != "1":
            wrong = _("请先阅读并勾选前两项同意，再开始登记。")
        else:
            try:
                lookups = request.POST.get("lookups") == "1"
                draft = drafting.start(season=season, lookups=lookups, by=request.actor)
                return redirect("my_draft", draft.id)
            except StepRefused as refused:
                wrong = str(refused)
    context = {
        "season": season,
        "open": season.takes_applications(),
        "wrong": wrong,
        "registers": Check.Register.choices,
    }
    return render(request, "admissions/my_new.html", context, status=422 if wrong else 200)


# -- pages of a draft ------------------------------------------------------------------------------
@never_cache
@require_GET
@requires(Permission.APPLY)
def my_draft(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The list of tasks of a draft."""
    draft = _draft(request, pk)
    given = drafting.answers_in(draft)
    steps = _steps(draft, given)
    undone = [step for step in steps if not step.done]
    context = _shell(draft, given) | {
        "steps": steps,
        "next": undone[0].key if undone else "",
        "left": len(undone),
    }
    return render(request, "admissions/my_draft.html", context)


def _shell(draft: Draft, given: Mapping[str, Any]) -> dict[str, Any]:
    return {"draft": draft, "season": draft.season, "child": given.get("child_name", "")}


def _form(draft: Draft, step: str, data: Any = None) -> PageForm:
    given = drafting.answers_in(draft)
    if step == "twins":
        given["known_twins"] = twins.same_day(draft, given)
    return FORMS[step](data, given=given, season=draft.season)


def _page(
    request: HttpRequest, draft: Draft, step: str, form: PageForm | None, *, status: int = 200,
    conflict: bool = False, wrong: str = "",
) -> HttpResponse:  # fmt: skip
    given = drafting.answers_in(draft)
    steps = _steps(draft, given)
    keys = [link.key for link in steps]
    if step not in keys:
        raise Http404
    index = keys.index(step)
    title, question, why = PAGES[step]
    context = _shell(draft, given) | {
        "step": step,
        "title": title,
        "question": question,
        "why": why,
        "number": index + 1,
        "steps": steps,
        "minutes": len(keys) - index,
        "previous": keys[index - 1] if index else "",
        "form": form,
        "conflict": conflict,
        "wrong": wrong,
        "to_check": request.GET.get("back") == "check",
        "boxes": showing.boxes(given, step),
        "zone": showing.zone_box(draft.season, given) if step in ("register", "home") else None,
        "papers": _papers(given) if step == "papers" else [],
        "max_papers": drafting.MAX_PAPERS,
    }
    return render(request, "admissions/my_page.html", context, status=status)


def _papers(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Kinds of paper asked for or given, with how many files are there."""
    labels, kept = dict(PaperKind.choices), given.get("papers", {})
    kinds = dict.fromkeys([*drafting.papers_needed(given), *(k for k in kept if kept[k])])
    return [{"kind": kind, "label": labels[kind], "files": kept.get(kind, [])} for kind in kinds]


def _version(request: HttpRequest) -> int:
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


@never_cache
@require_http_methods(["GET", "POST"])
@requires(Permission.APPLY)
def my_draft_page(request: HttpRequest, pk: uuid.UUID, step: str) -> HttpResponse:
    """One page of a draft; its button saves and goes on."""
    if step not in PAGES:
        raise Http404
    draft = _draft(request, pk)
    if step == "papers":
        return _papers_page(request, draft)
    if request.method == "GET":
        return _page(request, draft, step, _form(draft, step))
    form = _form(draft, step, request.POST)
    form.is_valid()
    try:
        draft = drafting.save(
            draft, values=form.values(), version=_version(request), by=request.actor
        )
    except drafting.DraftConflict as newer:
        # What was typed stays on the page; what the other device saved is told beside it.
        return _page(request, newer.draft, step, form, status=409, conflict=True)
    draft = _ask(request, draft)
    form = _form(draft, step, request.POST)
    if not form.is_valid():
        return _page(request, draft, step, form, status=422)
    return _go_on(request, draft, step)


def _ask(request: HttpRequest, draft: Draft, *, again: bool = False) -> Draft:
    """Ask registers that are due, within the family's limit; beyond it papers do."""
    if drafting.due_registers(drafting.answers_in(draft), again=again):
        try:
            _limit(request, "asks", draft.season)
        except TooMany:
            return draft
        return drafting.ask_registers(draft, again=again, by=request.actor)
    return draft


def _go_on(request: HttpRequest, draft: Draft, step: str) -> HttpResponse:
    """To the page after this one; after the last, or when one came from there, to the check."""
    keys = [link.key for link in _steps(draft, drafting.answers_in(draft))]
    after = keys[keys.index(step) + 1 :] if step in keys else []
    if request.POST.get("back") == "check" or not after:
        return redirect("my_draft_check", draft.id)
    return redirect("my_draft_page", draft.id, after[0])


def _papers_page(request: HttpRequest, draft: Draft) -> HttpResponse:
    if request.method == "GET":
        return _page(request, draft, "papers", None)
    for paper in _papers(drafting.answers_in(draft)):
        field = UploadsField(maximum=drafting.MAX_PAPERS, required=False)
        try:
            uploads = field.clean(request.FILES.getlist(paper["kind"]))
            if uploads:
                draft = drafting.attach(
                    draft, kind=paper["kind"], uploads=uploads, by=request.actor
                )
        except (StepRefused, ValidationError) as refused:
            words = refused.messages[0] if isinstance(refused, ValidationError) else str(refused)
            return _page(request, draft, "papers", None, status=422, wrong=words)
    if request.POST.get("more") == "1":
        return redirect("my_draft_page", draft.id, "papers")
    return _go_on(request, draft, "papers")


@require_POST
@requires(Permission.APPLY)
def my_draft_save(request: HttpRequest, pk: uuid.UUID, step: str) -> JsonResponse:
    """Keep the fields named by `changed`.  JSON: {"version", "saved": "10:24", "errors", "zone"}; 409
    when the draft was changed elsewhere, with nothing kept."""
    if step not in FORMS:
        raise Http404
    draft = _draft(request, pk)
    form = _form(draft, step, request.POST)
    form.is_valid()
    changed = [name for name in request.POST.getlist("changed") if name in form.fields]
    try:
        draft = drafting.save(
            draft, values=form.values(changed), version=_version(request), by=request.actor
        )
    except drafting.DraftConflict:
        return JsonResponse({"conflict": True}, status=409)
    answer = {
        "version": draft.version,
        "saved": timezone.localtime(draft.saved_at).strftime("%H:%M"),
        "errors": {name: form.errors[name][0] for name in changed if name in form.errors},
    }
    parts = {name.partition("__")[2] for name in changed}
    if parts & set(ADDRESS) or {"home_same", "register_here"} & set(changed):
        zone = showing.zone_box(draft.season, drafting.answers_in(draft))
        answer["zone"] = zone.words if zone.told else ""
    return JsonResponse(answer)


@require_POST
@requires(Permission.APPLY)
def my_draft_ask(request: HttpRequest, pk: uuid.UUID, step: str) -> HttpResponse:
    """Ask a register again that did not answer."""
    _ask(request, _draft(request, pk), again=True)
    return redirect("my_draft_page", pk, step if step in PAGES else "register")


@require_POST
@requires(Permission.APPLY)
def my_draft_dispute(request: HttpRequest, pk: uuid.UUID, step: str) -> HttpResponse:
    """信息不对，我要更正: the family types its own answer, and a paper is asked for."""
    register = request.POST.get("register", "")
    drafting.dispute(_draft(request, pk), register=register, by=request.actor)
    return redirect("my_draft_page", pk, step if step in PAGES else "register")


@require_POST
@requires(Permission.APPLY)
def my_draft_detach(request: HttpRequest, pk: uuid.UUID, file_id: uuid.UUID) -> HttpResponse:
    """Take a paper out of the draft."""
    drafting.detach(_draft(request, pk), file_id=file_id, by=request.actor)
    return redirect("my_draft_page", pk, "papers")


@require_POST
@requires(Permission.APPLY)
def my_draft_discard(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Throw a draft away."""
    drafting.discard(_draft(request, pk), by=request.actor)
    messages.success(request, _("草稿已删除。"))
    return redirect("my_admissions")


# -- the end of a draft ----------------------------------------------------------------------------
def _summary(draft: Draft, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What was answered, page by page, for reading over."""
    made = []
    for link in _steps(draft, given):
        rows: list[tuple[Any, Any]] = []
        for box in showing.boxes(given, link.key):
            if box.state == Check.State.CONFIRMED:
                rows += [*box.rows, (_("数据来源"), _("%s，已核验") % box.source)]
        if link.key == "papers":
            rows += [
                (paper["label"], _("%d个文件") % len(paper["files"])) for paper in _papers(given)
            ]
        else:
            rows += _typed(FORMS[link.key](given=given, season=draft.season).as_stored())
        made.append({"step": link, "rows": rows})
    return made


def _typed(form: PageForm) -> list[tuple[Any, Any]]:
    form.is_valid()
    rows, addresses = [], {}
    for name, field in form.fields.items():
        value = form.cleaned_data.get(name)
        if value in (None, "", False) or not form.is_shown(name):
            continue
        outer, _sep, part = name.partition("__")
        if part:
            addresses.setdefault(outer, {})[part] = value
            continue
        choices = getattr(field, "choices", None)
        shown = dict(choices).get(value, value) if choices else value
        rows.append((field.label, _("是") if shown is True else shown))
    for key, address in addresses.items():
        names = showing.community_names({key: address, "housing": ""})
        label = _("户籍地址") if key == "register" else _("居住地址")
        rows.append((label, showing.address_words(address, names, masked=False)))
    return rows


def _check(
    request: HttpRequest, draft: Draft, wrong: list[tuple[str, str]], status: int
) -> HttpResponse:
    given = drafting.answers_in(draft)
    context = _shell(draft, given) | {
        "summary": _summary(draft, given),
        "missing": [
            link for link in _steps(draft, given) if not link.done and link.key != "papers"
        ],
        "wrong": wrong,
        "zone": showing.zone_box(draft.season, given),
    }
    return render(request, "admissions/my_check.html", context, status=status)


@never_cache
@require_GET
@requires(Permission.APPLY)
def my_draft_check(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """All answers on one page, and the button that hands them in."""
    return _check(request, _draft(request, pk), [], 200)


@require_POST
@requires(Permission.APPLY)
def my_draft_submit(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Hand in.  Sent again, from here or elsewhere, it leads to the same reference."""
    try:
        done = drafting.submit_draft(pk, version=_version(request) or None, by=request.actor)
    except Draft.DoesNotExist as missing:
        raise Http404 from missing
    except drafting.DraftConflict:
        messages.warning(request, _("刚才在另一台设备上改过，请再核对一遍。"))
        return redirect("my_draft_check", pk)
    except Faults as faults:
        wrong = [(PAGE_OF.get(key, "child"), text) for key, text in faults.faults.items()]
        return _check(request, _draft(request, pk), wrong, 422)
    except StepRefused as refused:
        return _check(request, _draft(request, pk), [("", str(refused))], 422)
    if not done.own:
        # Whoever tries children of others one after the other is stopped, and learns nothing more.
        row = get_object_or_404(Draft.objects.visible_to(request.actor), pk=pk)
        _limit(request, "joins", row.season)
    return redirect("my_application_sent", done.number)
