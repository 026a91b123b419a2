"""After the reference: a family's registration, its result and answers; special paths."""

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.answers import Faults
from xuezheng.domains.admissions.flows import APPLICATION
from xuezheng.domains.admissions.forms.family import HomeForm, MoreForm, RegisterForm, TwinsForm
from xuezheng.domains.admissions.forms.family_case import PathForm, RatingForm, ReviewForm
from xuezheng.domains.admissions.models import (
    Application,
    Leaf,
    Offer,
    PaperKind,
    Party,
    PathRequest,
    Rating,
)
from xuezheng.domains.admissions.services import answering, drafting, paths, showing
from xuezheng.domains.admissions.services.applying import withdraw
from xuezheng.domains.admissions.services.explaining import reason_sentence
from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.access.signin.fresh import ask_for_code, fresh_code
from xuezheng.kernel.cases.models import Case
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.files.models import StoredFile
from xuezheng.kernel.files.store import path_of
from xuezheng.kernel.ui.steps import attempt
from xuezheng.kernel.ui.uploads import UploadsField

#: What changes a registration that was handed in: a stolen session must not do it.
SENSITIVE = {"correct", "withdraw", "confirm", "decline"}
#: Act -> (title of its page, words on its button, what it means).
ACTS: dict[str, tuple[Any, Any, Any]] = {
    "correct": (gettext_lazy("补正材料和信息"), gettext_lazy("提交补正"), ""),
    "confirm": (
        gettext_lazy("确认入学"),
        gettext_lazy("确认，去这所学校"),
        gettext_lazy("确认后学位为孩子保留，请按时报到。"),
    ),
    "decline": (
        gettext_lazy("放弃学位"),
        gettext_lazy("确定放弃"),
        gettext_lazy("放弃后学位给别的孩子，不能恢复；孩子的去向仍要向教育局说明。"),
    ),
    "withdraw": (
        gettext_lazy("撤回登记"),
        gettext_lazy("确定撤回"),
        gettext_lazy("撤回后这个编号作废；登记期内可以重新登记。"),
    ),
    "review": (gettext_lazy("申请复核"), gettext_lazy("提交复核申请"), ""),
    "rate": (gettext_lazy("评价服务"), gettext_lazy("提交评价"), ""),
}


def _mine(request: HttpRequest, number: str) -> Application:
    rows = showing.family_rows(Application.objects.visible_to(request.actor), request.actor)
    return get_object_or_404(rows.select_related("case", "season", "entry"), case__number=number)


def _waiting_case(request: HttpRequest, number: str) -> Case | None:
    """The case of which the reader is a guardian not yet confirmed: they learn its number only."""
    own = Party.objects.filter(user=request.user, confirmed=False).values("application_id")
    return Case.objects.filter(id__in=own, number=number, kind=APPLICATION.kind).first()


@never_cache
@require_GET
@requires(Permission.APPLY)
def my_application_sent(request: HttpRequest, number: str) -> HttpResponse:
    """The reference, at once after handing in, and what comes next."""
    rows = showing.family_rows(Application.objects.visible_to(request.actor), request.actor)
    application = rows.select_related("case", "season").filter(case__number=number).first()
    if application is None:
        if _waiting_case(request, number) is None:
            raise Http404
        return render(request, "admissions/my_waiting.html", {"number": number})
    context = {"application": application, "way": showing.way(application)}
    return render(request, "admissions/my_sent.html", context)


@never_cache
@require_GET
@requires(Permission.APPLY)
def my_application(request: HttpRequest, number: str) -> HttpResponse:
    """One registration: status line, faults, result with its reason, what may be done."""
    rows = showing.family_rows(Application.objects.visible_to(request.actor), request.actor)
    application = rows.select_related("case", "season").filter(case__number=number).first()
    if application is None:
        if _waiting_case(request, number) is None:
            raise Http404
        return render(request, "admissions/my_waiting.html", {"number": number})
    offer = answering.current_offer(application)
    is_own = application.applicant_id == request.user.id
    acts = _open_acts(application, offer) if is_own else []
    context = {
        "application": application,
        "is_own": is_own,
        "way": showing.way(application),
        "choices": application.choices.select_related("intake__school"),
        "offer": offer,
        "sentence": reason_sentence(offer) if offer else "",
        "acts": [(act, ACTS[act][0]) for act in acts],
        "reviews": application.reviews.select_related("case").order_by("-case__opened_at"),
        "review_days": answering.review_days(application),
        "papers": application.papers.select_related("file") if is_own else [],
        "disputed": application.custody_disputed,
        "rating": Rating.objects.filter(application=application).first() if is_own else None,
        "leaf": Leaf.objects.filter(application=application, freeze__void_reason="").exists(),
    }
    return render(request, "admissions/my_application.html", context)


def _open_acts(application: Application, offer: Offer | None) -> list[str]:
    """What the one who handed it in may do now, first what waits for them."""
    open_steps = {step.key for step in APPLICATION.leaving(application.state)}
    acts = ["correct"] if "correct" in open_steps else []
    answered = offer.answer if offer else Offer.Answer.DECLINED
    in_time = offer and offer.respond_by and timezone.localdate() <= offer.respond_by
    if application.state == "placed" and in_time and answered == Offer.Answer.NONE:
        acts.append("confirm")
    if "decline" in open_steps and answered in (Offer.Answer.NONE, Offer.Answer.CONFIRMED):
        acts.append("decline")
    if offer and not application.reviews.filter(state="asked").exists():
        acts.append("review")
    rated = Rating.objects.filter(application=application).exists()
    if application.state in answering.RATED_FROM and not rated:
        acts.append("rate")
    if "withdraw" in open_steps:
        acts.append("withdraw")
    return acts


@never_cache
@require_http_methods(["GET", "POST"])
@requires(Permission.APPLY)
def my_application_act(request: HttpRequest, number: str, act: str) -> HttpResponseBase:
    """Put right, confirm, give up, take back, ask for a review, rate: one page each."""
    if act not in ACTS:
        raise Http404
    application = _mine(request, number)
    if application.applicant_id != request.user.id:
        raise Http404
    if act in SENSITIVE and not fresh_code(request):
        return ask_for_code(request)
    now = _open_acts(application, answering.current_offer(application))
    if request.method == "GET" and act not in now:
        # An old link, or a second device: what can no longer be done has no page of its own.
        return redirect("my_application", number)
    if act == "correct":
        return _correct(request, application)
    if request.method == "GET":
        return _act_page(request, application, act, _act_form(act))
    return _take(request, application, act)


def _act_form(act: str, data: Any = None) -> Any:
    kinds: dict[str, Callable[..., Any]] = {"review": ReviewForm, "rate": RatingForm}
    return kinds[act](data) if act in kinds else None


def _act_page(
    request: HttpRequest, application: Application, act: str, form: Any, wrong: str = ""
) -> HttpResponse:
    title, button, meaning = ACTS[act]
    context = {
        "application": application,
        "act": act,
        "title": title,
        "button": button,
        "meaning": meaning,
        "form": form,
        "wrong": wrong,
        "offer": answering.current_offer(application),
        "review_days": answering.review_days(application),
    }
    failed = wrong or (form is not None and form.is_bound)
    return render(request, "admissions/my_act.html", context, status=422 if failed else 200)


def _version(request: HttpRequest) -> int:
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def _take(request: HttpRequest, application: Application, act: str) -> HttpResponse:
    form, by, version = _act_form(act, request.POST), request.actor, _version(request)
    if form is not None and not form.is_valid():
        return _act_page(request, application, act, form)
    data = form.cleaned_data if form is not None else {}
    calls: dict[str, Callable[[], Any]] = {
        "confirm": lambda: answering.confirm(application, version=version, by=by),
        "decline": lambda: answering.decline(application, version=version, by=by),
        "withdraw": lambda: withdraw(application, version=version, by=by),
        "review": lambda: answering.ask_review(application, by=by, **data),
        "rate": lambda: answering.rate(application, by=by, **data),
    }
    try:
        with transaction.atomic():
            calls[act]()
    except StepRefused as refused:
        return _act_page(request, application, act, form, str(refused))
    messages.success(request, _("已办理：%s。") % ACTS[act][0])
    return redirect("my_application", application.case.number)


# -- putting right ---------------------------------------------------------------------------------
def _correct(request: HttpRequest, application: Application) -> HttpResponse:
    given = answering.given_of(application)
    data = request.POST if request.method == "POST" else None
    forms = [
        kind(data, given=given, season=application.season)
        for kind in (RegisterForm, HomeForm, MoreForm, TwinsForm)
    ]
    named = [f["code"] for f in application.faults if f.get("code") in PaperKind.values]
    kinds = dict.fromkeys([*named, *drafting.papers_needed(given), PaperKind.OTHER.value])
    wrong: list[str] = []
    if data is not None:
        valid = [form.is_valid() for form in forms]
        field = UploadsField(maximum=drafting.MAX_PAPERS, required=False)
        try:
            uploads = {kind: field.clean(request.FILES.getlist(kind)) for kind in kinds}
            if all(valid):
                with transaction.atomic():
                    answering.put_right(
                        application,
                        values={k: v for form in forms for k, v in form.values().items()},
                        uploads={kind: files for kind, files in uploads.items() if files},
                        note=request.POST.get("note", "")[:500],
                        version=_version(request),
                        by=request.actor,
                    )
                messages.success(request, _("补正已提交，学校会重新核验。"))
                return redirect("my_application", application.case.number)
        except Faults as faults:
            wrong = list(faults.faults.values())
        except ValidationError as error:
            wrong = list(error.messages)
        except StepRefused as refused:
            wrong = [str(refused)]
    labels = dict(PaperKind.choices)
    context = {
        "application": application,
        "forms": forms,
        "given": given,
        "boxes": [box for page in showing.REGISTERS_OF for box in showing.boxes(given, page)],
        "kinds": [(kind, labels[kind]) for kind in kinds],
        "wrong": wrong,
        "title": ACTS["correct"][0],
        "max_papers": drafting.MAX_PAPERS,
    }
    return render(request, "admissions/my_correct.html", context, status=200 if not data else 422)


@never_cache
@require_GET
@requires(Permission.APPLY)
def my_application_looked(request: HttpRequest, number: str) -> HttpResponse:
    """Which post opened the child's registration, when and why; posts, never names."""
    application = _mine(request, number)
    rows = [(entry, answering.act_words(entry)) for entry in answering.readings(application)[:200]]
    context = {"application": application, "rows": rows}
    return render(request, "admissions/my_looked.html", context)


@never_cache
@require_GET
@requires(Permission.APPLY)
def my_paper(request: HttpRequest, number: str, file_id: uuid.UUID) -> FileResponse:
    """A paper that the reader sent.  Another guardian does not see it: addresses stand in papers."""
    application = _mine(request, number)
    if application.applicant_id != request.user.id:
        raise Http404
    stored: StoredFile = get_object_or_404(
        application.papers.select_related("file"), file_id=file_id
    ).file
    response = FileResponse(
        path_of(stored.sha256).open("rb"),
        content_type=stored.media_type,
        as_attachment=not stored.is_picture,
        filename=stored.name,
    )
    response.headers["Cache-Control"] = "private, no-store"
    return response


# -- special paths ---------------------------------------------------------------------------------
@never_cache
@require_http_methods(["GET", "POST"])
@requires(Permission.APPLY)
def my_path_new(request: HttpRequest, kind: str) -> HttpResponse:
    """Ask for deferral, teaching at home, special placement, or joining mid-year."""
    if kind not in PathRequest.Kind.values:
        raise Http404
    form = PathForm(request.POST or None, request.FILES or None, kind=kind, actor=request.actor)
    if request.method == "POST" and form.is_valid():
        data = {"season": None} | form.cleaned_data
        made = attempt(form, lambda: paths.ask_path(kind=kind, by=request.actor, **data))
        if made:
            messages.success(request, _("申请已收到，编号 %s。") % made.case.number)
            return redirect("my_path", made.case.number)
    context = {"form": form, "title": PathRequest.Kind(kind).label, "kind": kind}
    status = 422 if form.is_bound else 200
    return render(request, "admissions/my_path_new.html", context, status=status)


def _path(request: HttpRequest, number: str) -> PathRequest:
    rows = PathRequest.objects.visible_to(request.actor).filter(applicant=request.user)
    return get_object_or_404(rows.select_related("case", "school"), case__number=number)


@never_cache
@require_GET
@requires(Permission.APPLY)
def my_path(request: HttpRequest, number: str) -> HttpResponse:
    """One request with its state; the opinion is for those who decide."""
    return render(request, "admissions/my_path.html", {"path": _path(request, number)})


@require_POST
@requires(Permission.APPLY)
def my_path_withdraw(request: HttpRequest, number: str) -> HttpResponseBase:
    """Take a request back."""
    path = _path(request, number)
    if not fresh_code(request):
        return ask_for_code(request)
    try:
        paths.withdraw_path(path, version=_version(request), by=request.actor)
    except StepRefused as refused:
        messages.warning(request, str(refused))
    else:
        messages.success(request, _("申请已撤回。"))
    return redirect("my_path", number)
