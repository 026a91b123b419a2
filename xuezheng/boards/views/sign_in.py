"""Coming in: password, other ways, second factor, the password that must be changed; going out."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xuezheng.boards import account_forms as forms
from xuezheng.boards.context import site
from xuezheng.kernel.access.actors import StaffActor
from xuezheng.kernel.access.guards import half_signed_in, public
from xuezheng.kernel.access.models import SecondFactor, User
from xuezheng.kernel.access.signin import factor, lockout, passwords, sessions
from xuezheng.kernel.access.signin.middleware import open_step
from xuezheng.kernel.access.signin.ways import Way, WayRefused, configured
from xuezheng.registry.services import signing_in

#: Where the session keeps what a way must remember until the browser comes back.
_BEGUN = "begun"
#: What other systems send back, each at most so long.
_RETURNED = ("code", "state", "ticket", "error")
_MAX_RETURNED = 4000


def target_of(request: HttpRequest) -> str:
    """The page to lead back to: one of ours, else the start."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(
        target, {request.get_host()}, require_https=request.is_secure()
    )
    return target if ours else ""


def _onward(request: HttpRequest) -> HttpResponse:
    """To what is still owed, else to the page the person came for."""
    request.actor = StaffActor(request.user)
    if step := open_step(request):
        return redirect(step)
    return redirect(request.session.pop(sessions.NEXT, None) or "home")


def _come_in(
    request: HttpRequest, user: User, way: str, *, one_time: bool = False, target: str = ""
) -> HttpResponse:
    if target:
        request.session[sessions.NEXT] = target
    entered = signing_in.enter(request, user, way=way, one_time=one_time)
    if entered.factor_reset:
        messages.warning(
            request,
            _("安全保密管理员已解除您原来绑定的动态验证码。如果不是您要求的，请立即告诉管理员。"),
        )
    if entered.days_left is not None:
        words = ngettext(
            "密码还有 %d 天到期，请尽早修改。",
            "密码还有 %d 天到期，请尽早修改。",
            entered.days_left,
        )
        messages.warning(request, words % entered.days_left)
    return _onward(request)


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@public
def sign_in(request: HttpRequest) -> HttpResponse:
    """User name and password, and the other ways that are configured."""
    if request.actor and request.method == "GET":
        return _onward(request)
    form = _password_form(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            user, one_time = signing_in.authenticate(
                username=data["username"],
                password=data["password"],
                address=lockout.client_address(request),
            )
        except signing_in.SignInRefused as refused:
            form.add_error(None, str(refused))
        else:
            return _come_in(request, user, "password", one_time=one_time, target=target_of(request))
    return _sign_in_page(request, form)


def _for_families() -> Way | None:
    """The way that is open to anyone."""
    return next((way for way in configured().values() if getattr(way, "anyone", False)), None)


def _password_form(given: Any = None) -> forms.SignInForm:
    """Only where it is the only door does it take the cursor."""
    return forms.SignInForm(given, is_only=_for_families() is None)


def _number_form(way: Way, given: Any = None, *, is_only: bool = True) -> forms.NumberForm:
    return forms.NumberForm(given, anyone=getattr(way, "anyone", False), is_only=is_only)


def _sign_in_page(
    request: HttpRequest, form: forms.SignInForm | None = None, refused: str = ""
) -> HttpResponse:
    """Two doors where families come in by telephone, else one.

    `refused`: why another way did not succeed.
    """
    form = form or _password_form()
    families = _for_families()
    context = {
        "form": form,
        "refused": refused,
        "next": target_of(request),
        "families": families,
        "number_form": _number_form(families, is_only=False) if families else None,
        "ways": [way for way in configured().values() if way != families],
        "expired": "expired" in request.GET and not form.is_bound,
    }
    status = 422 if form.is_bound or refused else 200
    return render(request, "boards/sign_in.html", context, status=status)


# -- other ways -------------------------------------------------------------------------------------
def _way(key: str) -> Way:
    try:
        return configured()[key]
    except KeyError:
        raise Http404 from None


def _callback(request: HttpRequest, way: Way) -> str:
    return request.build_absolute_uri(reverse("sign_in_return", args=[way.key]))


@never_cache
@require_http_methods(["GET", "POST"])
@public
def sign_in_way(request: HttpRequest, way: str) -> HttpResponse:
    """Begin: to the other system's page, or our own that asks for a telephone number.

    A link, not a form: our content policy forbids forms that lead to another host.
    """
    chosen = _way(way)
    if target := target_of(request):
        request.session[sessions.NEXT] = target
    if not chosen.own_pages:
        try:
            begun = chosen.begin({}, _callback(request, chosen))
        except WayRefused as refused:
            return _sign_in_page(request, refused=signing_in.way_words(refused))
        request.session[_BEGUN] = {"way": chosen.key, **begun.remember}
        return redirect(begun.url)
    form = _number_form(chosen, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            given = signing_in.sms_given(form.cleaned_data["number"], request, anyone=chosen.anyone)
            begun = chosen.begin(given, "")
        except signing_in.SignInRefused as refused:
            form.add_error("number", str(refused))
        except WayRefused as refused:
            form.add_error(None, signing_in.way_refused(chosen, refused))
        else:
            request.session[_BEGUN] = {"way": chosen.key, **begun.remember}
            return redirect("sign_in_return", chosen.key)
    return step_page(
        request,
        form,
        title=_("手机短信验证码登录"),
        submit=_("获取验证码"),
        back=reverse("sign_in"),
    )


@never_cache
@require_http_methods(["GET", "POST"])
@public
def sign_in_return(request: HttpRequest, way: str) -> HttpResponse:
    """Finish.  The other system's answer comes as a GET, which may write nothing: our page posts it on."""
    chosen = _way(way)
    begun = request.session.get(_BEGUN, {})
    if begun.get("way") != chosen.key:
        begun = {}
    if chosen.own_pages:
        return _finish_by_code(request, chosen, begun)
    if request.method == "GET":
        returned = {name: request.GET[name] for name in _RETURNED if name in request.GET}
        if any(len(value) > _MAX_RETURNED for value in returned.values()):
            raise BadRequest
        return render(request, "boards/sign_in_return.html", {"returned": returned})
    request.session.pop(_BEGUN, None)
    try:
        subject = chosen.finish(request.POST, begun, _callback(request, chosen))
        user = signing_in.user_of(subject)
    except WayRefused as refused:
        return _sign_in_page(request, refused=signing_in.way_refused(chosen, refused))
    except signing_in.SignInRefused as refused:
        return _sign_in_page(request, refused=str(refused))
    return _come_in(request, user, chosen.key)


def _finish_by_code(request: HttpRequest, way: Way, begun: dict[str, Any]) -> HttpResponse:
    if not begun:
        return redirect("sign_in_way", way.key)
    form = forms.CodeForm(
        request.POST or None, help_text=_("验证码已发往您填的手机；没有收到，请核对号码。")
    )
    if request.method == "POST" and form.is_valid():
        given = {"code": form.cleaned_data["code"], "rules": signing_in.todays_rules()}
        try:
            user = signing_in.user_of(way.finish(given, begun, ""))
        except WayRefused as refused:
            form.add_error("code", signing_in.way_refused(way, refused))
        except signing_in.SignInRefused as refused:
            form.add_error(None, str(refused))
        else:
            request.session.pop(_BEGUN, None)
            return _come_in(request, user, way.key)
    return step_page(
        request,
        form,
        title=_("填写短信验证码"),
        submit=_("登录"),
        told=begun.get("told", ""),
        back=reverse("sign_in_way", args=[way.key]),
        back_words=_("换一个号码，或重新获取"),
    )


def step_page(request: HttpRequest, form: Any, **context: Any) -> HttpResponse:
    """A page of one form before the person is wholly signed in."""
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "boards/account_step.html", {"form": form, **context}, status=status)


# -- what is owed before anything else --------------------------------------------------------------
@never_cache
@require_http_methods(["GET", "POST"])
@half_signed_in
def second_factor_verify(request: HttpRequest) -> HttpResponse:
    """The code of the generator, or a recovery code."""
    if request.session.get(sessions.FACTOR) != "due":
        return _onward(request)
    form = forms.CodeForm(
        request.POST or None,
        help_text=_("打开手机上的验证器，填本系统一项的 6 位数字。手机不在身边，可填一个恢复码。"),
    )
    if request.method == "POST" and form.is_valid():
        try:
            how = signing_in.prove_factor(request, form.cleaned_data["code"])
        except signing_in.SignInRefused as refused:
            form.add_error("code", str(refused))
        else:
            if how == "recovery":
                left = request.user.recovery_codes.filter(used_at__isnull=True).count()
                words = ngettext("恢复码还剩 %d 个。", "恢复码还剩 %d 个。", left)
                messages.warning(request, words % left)
            return _onward(request)
    sample = settings.IS_DEMO and request.user.is_sample
    return step_page(
        request,
        form,
        title=_("填写动态验证码"),
        submit=_("确认"),
        is_sample=sample,
        sample_code=_sample_code(request.user) if sample else "",
    )


def _sample_code(user: User) -> str:
    """The code of a person of the demo district, whose secret is none."""
    enrolled = SecondFactor.objects.filter(user=user).first()
    return factor.usable_code(enrolled, timezone.now()) if enrolled else ""


@never_cache
@require_http_methods(["GET", "POST"])
@half_signed_in
def second_factor_enrol(request: HttpRequest) -> HttpResponse:
    """Bind a code generator: picture, first code, then the recovery codes, once."""
    session = request.session
    if signing_in.must_prove_first(request) or open_step(request) not in {
        None,
        "second_factor_enrol",
    }:
        return _onward(request)
    if sessions.WAITING_SECRET not in session:
        session[sessions.WAITING_SECRET] = factor.sealed_secret(factor.new_secret())
    secret = factor.waiting_secret(session[sessions.WAITING_SECRET])
    form = forms.CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            codes = signing_in.enrol_factor(request, form.cleaned_data["code"])
        except signing_in.SignInRefused as refused:
            form.add_error("code", str(refused))
        else:
            return render(request, "boards/account_codes.html", {"codes": codes})
    context = {
        "form": form,
        "secret": [secret[at : at + 4] for at in range(0, len(secret), 4)],
        "required": request.actor.needs_second_factor,
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "boards/account_enrol.html", context, status=status)


@never_cache
@require_GET
@half_signed_in
def second_factor_picture(request: HttpRequest) -> HttpResponse:
    """The waiting secret as a QR code; an address of its own, because our policy allows no data: picture."""
    waiting = request.session.get(sessions.WAITING_SECRET)
    if not waiting or open_step(request) not in {None, "second_factor_enrol"}:
        raise Http404
    text = factor.address(factor.waiting_secret(waiting), request.user.username, site()["name"])
    return HttpResponse(factor.picture(text), content_type="image/svg+xml")


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@half_signed_in
def change_password(request: HttpRequest) -> HttpResponse:
    """A new password, by one's own wish or because it must be."""
    why = request.session.get(sessions.MUST_CHANGE, "")
    if open_step(request) not in {None, "change_password", "second_factor_enrol"}:
        return _onward(request)
    if not why and not request.user.has_usable_password():
        messages.info(request, _("您不用密码登录本系统，无需修改。"))
        return redirect("account")
    rules = passwords.rules_for(request.actor.authority_code)
    kind = forms.FirstPasswordForm if why == "one_time" else forms.OwnPasswordForm
    form = kind(request.user, request.POST or None, help_text=passwords.password_help(rules))
    if request.method == "POST" and form.is_valid():
        ended = signing_in.change_password(request, form.cleaned_data["new_password1"])
        said = _("密码已修改。")
        if ended:
            words = ngettext("其他 %d 处登录已退出。", "其他 %d 处登录已退出。", ended)
            said += words % ended
        messages.success(request, said)
        return _onward(request) if why else redirect("account")
    context = {"title": _("修改密码"), "submit": _("保存新密码"), "cancel_url": reverse("account")}
    if why:
        lead = {
            "one_time": _("您用的是一次性密码，请先设定自己的密码。"),
            "old": _("密码已到期，请先修改。"),
        }[why]
        return step_page(request, form, **context | {"lead": lead})
    status = 422 if form.is_bound else 200
    return render(request, "boards/change_password.html", context | {"form": form}, status=status)


@never_cache
@require_POST
@public
def sign_out(request: HttpRequest) -> HttpResponse:
    """End this session."""
    signing_in.sign_out(request)
    return redirect(settings.LOGOUT_REDIRECT_URL)
