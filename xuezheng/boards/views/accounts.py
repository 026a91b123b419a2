"""Accounts, for the security administrator: who has one, which posts, and what to do about it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import django_filters as filters
from django.contrib import messages
from django.db.models import BooleanField, ExpressionWrapper, Prefetch, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from xuezheng.boards.account_forms import AccountForm, EndPostForm, PostForm, ReasonForm
from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.access.models import AttemptKind, Organisation, Post, User, in_force
from xuezheng.kernel.access.permissions import roles
from xuezheng.kernel.access.signin import lockout
from xuezheng.kernel.audit.trail import record_read
from xuezheng.kernel.exchange.workbook import Column, list_response
from xuezheng.kernel.ui.lists import export_url, list_context, narrowed_by
from xuezheng.kernel.ui.steps import attempt
from xuezheng.kernel.ui.words import WordsFilter
from xuezheng.registry.access import Permission
from xuezheng.registry.services import accounts

STATES = [
    ("active", gettext_lazy("启用")),
    ("disabled", gettext_lazy("已停用")),
    ("locked", gettext_lazy("已锁定")),
    ("never", gettext_lazy("从未登录")),
    ("no_factor", gettext_lazy("应绑定而未绑定动态码")),
    ("no_post", gettext_lazy("没有岗位")),
    ("family", gettext_lazy("家长、居民")),
]


class AccountFilter(filters.FilterSet):
    """By words, state, role and organisation."""

    w = WordsFilter(label=gettext_lazy("用户名或姓名"))
    state = filters.ChoiceFilter(label=gettext_lazy("状态"), choices=STATES, method="by_state")
    role = filters.ChoiceFilter(label=gettext_lazy("岗位"), method="by_role")
    organisation = filters.ModelChoiceFilter(
        label=gettext_lazy("单位"), queryset=Organisation.objects.none(), method="by_organisation"
    )

    class Meta:
        model = User
        fields = ()

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.filters["role"].extra["choices"] = [(r.key, r.label) for r in roles().values()]
        self.filters["organisation"].queryset = accounts.assignable(self.request.actor)

    def by_words(self, rows: QuerySet, _name: str, words: str) -> QuerySet:
        for word in words.split():
            rows = rows.filter(Q(username__icontains=word) | Q(name__icontains=word))
        return rows

    def by_state(self, rows: QuerySet, _name: str, value: str) -> QuerySet:
        today = timezone.localdate()
        sensitive = [role.key for role in roles().values() if role.second_factor]
        held = Post.objects.filter(in_force(today))
        return rows.filter(
            {
                "active": Q(is_active=True),
                "disabled": Q(is_active=False),
                "locked": Q(is_locked=True),
                "never": Q(last_login__isnull=True),
                "no_factor": Q(has_factor=False, is_active=True)
                & Q(pk__in=held.filter(role__in=sensitive).values("user")),
                "no_post": Q(phone__isnull=True) & ~Q(pk__in=held.values("user")),
                "family": Q(phone__isnull=False),
            }[value]
        )

    def by_role(self, rows: QuerySet, _name: str, role: str) -> QuerySet:
        today = timezone.localdate()
        return rows.filter(pk__in=Post.objects.filter(in_force(today), role=role).values("user"))

    def by_organisation(self, rows: QuerySet, _name: str, organisation: Organisation) -> QuerySet:
        held = Post.objects.filter(in_force(timezone.localdate()), organisation=organisation)
        return rows.filter(pk__in=held.values("user"))


def _rows(request: HttpRequest) -> QuerySet[User]:
    now = timezone.now()
    held = Post.objects.filter(in_force(timezone.localdate())).select_related("organisation")
    rows = accounts.with_state(accounts.visible_accounts(request.actor), now)
    # Families made their own accounts, many of them: staff come first.
    is_family = ExpressionWrapper(Q(phone__isnull=False), BooleanField())
    rows = rows.order_by(is_family, "username")
    return rows.prefetch_related(Prefetch("posts", held, to_attr="held"))


@require_GET
@requires(Permission.ACCOUNTS)
def account_list(request: HttpRequest) -> HttpResponse:
    """Accounts by user name, with the posts held today; those of families after those of staff."""
    filterset = AccountFilter(request.GET, queryset=_rows(request), request=request)
    if request.GET.get("export"):
        return _export(request, filterset)
    context = list_context(request, filterset, title=_("账号"))
    context |= {
        "chips": [("", _("全部")), *STATES],
        "export_url": export_url(request),
        "locks": lockout.locks(timezone.now()).count(),
        "roles": {role.key: role.label for role in roles().values()},
    }
    return render(request, "boards/account_list.html", context)


def _export(request: HttpRequest, filterset: AccountFilter) -> HttpResponse:
    columns = [
        Column(_("用户名"), 18),
        Column(_("姓名"), 14),
        Column(_("岗位"), 50),
        Column(_("启用"), 8),
        Column(_("已锁定"), 8),
        Column(_("动态验证码"), 10),
        Column(_("最近登录"), 12),
    ]
    labels = {role.key: str(role.label) for role in roles().values()}
    rows = (
        (
            user.username,
            user.name,
            _("；").join(f"{post.organisation} {labels[post.role]}" for post in user.held),
            user.is_active,
            user.is_locked,
            user.has_factor,
            timezone.localtime(user.last_login).date() if user.last_login else None,
        )
        for user in filterset.qs
    )
    record_read(request, "account.export", object_type="user", detail=narrowed_by(filterset))
    return list_response(request, _("账号"), columns, rows)


@never_cache
@require_http_methods(["GET", "POST"])
@requires(Permission.ACCOUNTS)
def account_add(request: HttpRequest) -> HttpResponse:
    """Open an account with its first post."""
    form = AccountForm(request.POST or None, actor=request.actor)
    if request.method == "POST" and form.is_valid():
        made = attempt(form, form.save)
        if made:
            user, one_time = made
            return _one_time_page(request, user, one_time, _("账号已开通"))
    context = {
        "form": form,
        "title": _("开通账号"),
        "lead": _("开通后得到一次性密码，交给本人；本人第一次登录时自己设密码。"),
        "submit": _("开通账号"),
        "cancel_url": reverse("account_list"),
    }
    return render(request, "boards/account_add.html", context, status=422 if form.is_bound else 200)


def _one_time_page(request: HttpRequest, user: User, one_time: str, title: str) -> HttpResponse:
    """The one-time password, shown once; no later page can show it again."""
    context = {"person": user, "one_time": one_time, "title": title}
    return render(request, "boards/account_one_time.html", context)


def _visible(request: HttpRequest, user_id: int) -> User:
    return get_object_or_404(_rows(request), pk=user_id)


@require_GET
@requires(Permission.ACCOUNTS)
def account_detail(request: HttpRequest, user_id: int) -> HttpResponse:
    """One account: posts now and once, state, what can be done."""
    return _detail(request, _visible(request, user_id))


def _detail(request: HttpRequest, person: User) -> HttpResponse:
    today = timezone.localdate()
    labels = {role.key: role.label for role in roles().values()}
    posts = person.posts.select_related("organisation").order_by("-valid_from", "-id")
    own = person.pk == request.user.pk
    context = {
        "person": person,
        "own": own,
        "posts": [
            {
                "post": post,
                "role": labels.get(post.role, post.role),
                "open": post.valid_to is None or post.valid_to > today,
                "over": post.valid_to is not None and post.valid_to < today,
            }
            for post in posts
        ],
        "acts": [] if own else [(key, act) for key, act in ACTS.items() if act.fits(person)],
    }
    return render(request, "boards/account_detail.html", context)


@dataclass(frozen=True)
class Act:
    """Something done to an account: question, words on the button, what follows, the service."""

    question: Any
    button: Any
    effect: Any
    icon: str
    call: Callable[..., str | None]
    fits: Callable[[User], bool]
    danger: bool = False


ACTS = {
    "unlock": Act(
        gettext_lazy("解除锁定？"),
        gettext_lazy("解除锁定"),
        gettext_lazy("先向本人核实是否本人试错；不是本人，应先重置密码。"),
        "lock-open",
        accounts.unlock,
        lambda user: user.is_locked,
    ),
    "password": Act(
        gettext_lazy("重置密码？"),
        gettext_lazy("重置密码"),
        gettext_lazy("原密码作废，所有登录退出；得到一次性密码，只显示一次。"),
        "key-round",
        accounts.reset_password,
        lambda user: user.is_active,
    ),
    "factor": Act(
        gettext_lazy("解除动态验证码绑定？"),
        gettext_lazy("解除动态码绑定"),
        gettext_lazy("所有登录退出；本人下次登录会得到提示，并重新绑定。请当面核实身份。"),
        "shield-alert",
        accounts.reset_factor,
        lambda user: user.has_factor,
        danger=True,
    ),
    "disable": Act(
        gettext_lazy("停用账号？"),
        gettext_lazy("停用账号"),
        gettext_lazy("所有登录退出，不能再登录；已办事项仍记在本人名下。"),
        "ban",
        accounts.disable,
        lambda user: user.is_active,
        danger=True,
    ),
    "enable": Act(
        gettext_lazy("重新启用账号？"),
        gettext_lazy("重新启用"),
        gettext_lazy("本人可以用原来的密码登录，任职照旧。"),
        "circle-check",
        accounts.enable,
        lambda user: not user.is_active,
    ),
}


@never_cache
@require_http_methods(["GET", "POST"])
@requires(Permission.ACCOUNTS)
def account_act(request: HttpRequest, user_id: int, act: str) -> HttpResponse:
    """Ask for the reason, then do it."""
    person, chosen = _visible(request, user_id), ACTS.get(act)
    if chosen is None:
        raise Http404
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        done = attempt(form, lambda: [_call(chosen, person, request, form)])
        if done:
            if done[0]:
                return _one_time_page(request, person, done[0], _("密码已重置"))
            messages.success(request, _("已办理。"))
            return redirect("account_detail", person.pk)
    context = {
        "title": chosen.question,
        "lead": f"{person.name} · {person.username}",
        "effects": [chosen.effect],
        "form": form,
        "submit": chosen.button,
        "danger": chosen.danger,
        "cancel_url": reverse("account_detail", args=[person.pk]),
    }
    return render(request, "ui/confirm.html", context, status=422 if form.is_bound else 200)


def _call(act: Act, person: User, request: HttpRequest, form: ReasonForm) -> str | None:
    return act.call(person, by=request.actor, reason=form.cleaned_data["reason"])


@require_http_methods(["GET", "POST"])
@requires(Permission.ACCOUNTS)
def account_post_add(request: HttpRequest, user_id: int) -> HttpResponse:
    """Give a post."""
    person = _visible(request, user_id)
    form = PostForm(request.POST or None, actor=request.actor, user=person)
    if request.method == "POST" and form.is_valid() and attempt(form, form.save):
        messages.success(request, _("已任命。"))
        return redirect("account_detail", person.pk)
    context = {
        "form": form,
        "title": _("增加岗位"),
        "lead": f"{person.name} · {person.username}",
        "submit": _("增加岗位"),
        "cancel_url": reverse("account_detail", args=[person.pk]),
    }
    return render(request, "boards/account_add.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@requires(Permission.ACCOUNTS)
def account_post_end(request: HttpRequest, user_id: int, post_id: int) -> HttpResponse:
    """End a post."""
    person = _visible(request, user_id)
    held = get_object_or_404(person.posts.select_related("organisation"), pk=post_id)
    form = EndPostForm(request.POST or None)

    def end() -> bool:
        data = form.cleaned_data
        accounts.end_post(held, last_day=data["last_day"], by=request.actor, reason=data["reason"])
        return True

    if request.method == "POST" and form.is_valid() and attempt(form, end):
        messages.success(request, _("岗位已结束。"))
        return redirect("account_detail", person.pk)
    context = {
        "title": _("结束岗位？"),
        "lead": f"{person.name} · {held.organisation} · {roles()[held.role].label}",
        "effects": [_("离任日的次日起，不再能办这一岗位的事。")],
        "form": form,
        "submit": _("结束岗位"),
        "danger": True,
        "cancel_url": reverse("account_detail", args=[person.pk]),
    }
    return render(request, "ui/confirm.html", context, status=422 if form.is_bound else 200)


@require_GET
@requires(Permission.ACCOUNTS)
def lock_list(request: HttpRequest) -> HttpResponse:
    """What is locked now: accounts, names that nobody has, addresses."""
    rows = list(lockout.locks(timezone.now()).select_related("user"))
    return render(request, "boards/account_locks.html", {"rows": rows, "kinds": AttemptKind})


@require_http_methods(["GET", "POST"])
@requires(Permission.ACCOUNTS)
def lock_lift(request: HttpRequest, attempts_id: int) -> HttpResponse:
    """Lift a lock that is on no account."""
    row = get_object_or_404(lockout.locks(timezone.now()), pk=attempts_id, user__isnull=True)
    form = ReasonForm(request.POST or None)

    def lift() -> bool:
        accounts.unlock_key(row.pk, by=request.actor, reason=form.cleaned_data["reason"])
        return True

    if request.method == "POST" and form.is_valid() and attempt(form, lift):
        messages.success(request, _("已解除锁定。"))
        return redirect("lock_list")
    context = {
        "title": _("解除锁定？"),
        "lead": f"{row.get_kind_display()} · {row.digest[:8]}",
        "effects": [_("先查明是不是有人在试密码；同一学校的人常共用一个网络地址。")],
        "form": form,
        "submit": _("解除锁定"),
        "cancel_url": reverse("lock_list"),
    }
    return render(request, "ui/confirm.html", context, status=422 if form.is_bound else 200)
