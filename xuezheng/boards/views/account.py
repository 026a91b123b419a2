"""One's own account: posts and what they allow, where one is signed in, password, second factor."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from xuezheng.kernel.access.guards import signed_in
from xuezheng.kernel.access.models import SecondFactor, User
from xuezheng.kernel.access.permissions import roles
from xuezheng.kernel.access.signin import passwords, sessions
from xuezheng.kernel.access.signin.rules import password_days_left
from xuezheng.kernel.notices.channels import configured
from xuezheng.kernel.notices.sending import addresses
from xuezheng.registry.roles import ALLOWS
from xuezheng.registry.services import signing_in
from xuezheng.registry.services.families import telephone_of


@never_cache
@require_GET
@signed_in
def account(request: HttpRequest) -> HttpResponse:
    """All of it on one page."""
    user, actor = request.user, request.actor
    rules = passwords.rules_for(actor.authority_code)
    known = roles()
    context = {
        "person": user,
        "posts": [
            {"post": post, "role": known[post.role].label, "allows": ALLOWS[post.role]}
            for post in actor.posts
        ],
        "sessions": sessions.live(user),
        "own_key": request.session.session_key,
        "factor": SecondFactor.objects.filter(user=user).first(),
        "codes_left": user.recovery_codes.filter(used_at__isnull=True).count(),
        "factor_required": actor.needs_second_factor,
        "has_password": user.has_usable_password(),
        "days_left": password_days_left(user.password_changed_at, timezone.now(), rules),
        "rules": rules,
        "channels": _channels(user),
    }
    return render(request, "boards/account.html", context)


def _channels(user: User) -> list[str]:
    """Names of the channels by which messages reach the person; empty where none is in use."""
    used = configured()
    if not used:
        return []
    reach = addresses([user.pk], used, lambda ids: {user.pk: telephone_of(user)} if ids else {})
    words = {"sms": _("短信"), "mail": _("邮件"), "chat": _("工作群")}
    return [words[key] for key, address in reach[user.pk].items() if address] or [_("只在本系统内")]


@require_POST
@signed_in
def session_end(request: HttpRequest, handle: uuid.UUID) -> HttpResponse:
    """End one of one's own sessions."""
    if not signing_in.end_session(request, str(handle)):
        raise Http404
    messages.success(request, _("该处登录已退出。"))
    return redirect("account")


@require_POST
@signed_in
def sessions_end(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere but here."""
    ended = signing_in.end_other_sessions(request)
    words = ngettext("其他 %d 处登录已退出。", "其他 %d 处登录已退出。", ended)
    messages.success(request, words % ended)
    return redirect("account")


@never_cache
@require_POST
@signed_in
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """New recovery codes, shown once.  404 without a second factor."""
    if not SecondFactor.objects.filter(user=request.user).exists():
        raise Http404
    if signing_in.must_prove_first(request):
        return redirect("second_factor_verify")
    codes = signing_in.renew_recovery_codes(request.user)
    return render(request, "boards/account_codes.html", {"codes": codes, "renewed": True})
