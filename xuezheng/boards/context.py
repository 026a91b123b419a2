"""What every page's shell needs: the bureau's name, navigation, what waits and is unread."""

from functools import lru_cache
from importlib import import_module
from typing import Any

from django.apps import apps
from django.conf import settings
from django.http import HttpRequest
from django.urls import resolve, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from xuezheng.boards.access import Permission
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.cases.models import Case
from xuezheng.kernel.notices.models import Notice
from xuezheng.registry.organisations import OrganisationKind
from xuezheng.registry.switches import off_systems, system_of


@lru_cache
def entries() -> list[dict[str, Any]]:
    """Navigation: inbox, board, then each system's DUTIES in the order of INSTALLED_APPS."""
    first = [
        {"label": _("待办"), "url": "inbox", "icon": "inbox"},
        {"label": _("看板"), "url": "board", "icon": "layout-dashboard"},
    ]
    systems = []
    for config in apps.get_app_configs():
        if config.name.startswith(("xuezheng.registry", "xuezheng.domains.")):
            systems += getattr(import_module(config.name), "DUTIES", [])
    last = [
        {"label": _("指标"), "url": "indicator_list", "icon": "chart-line"},
        {"label": _("全省"), "url": "province_board", "icon": "chart-line"},
        {"label": _("账号"), "url": "account_list", "icon": "users"},
        {"label": _("参数"), "url": "parameter_list", "icon": "sliders-horizontal"},
        {"label": _("审计"), "url": "audit_list", "icon": "scroll-text"},
        {"label": _("后台任务"), "url": "job_list", "icon": "cpu"},
    ]
    return [*first, *systems, *last]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The entries whose page the actor may open."""
    here = request.path
    off = off_systems(request.actor)
    shown = []
    for entry in entries():
        url = reverse(entry["url"])
        view = resolve(url).func
        needed = view.guard.permissions
        if needed and not any(request.actor.can(permission) for permission in needed):
            continue
        if system_of(view) in off:
            continue
        if entry["url"] == "inbox" and not request.actor.posts:
            # Without a post nothing is owed: one's own page stands in its place.
            entry = {"label": _("我的"), "url": "my", "icon": "user-round"}
            url = reverse("my")
        shown.append(
            {
                "label": entry["label"],
                "url": url,
                "icon": entry["icon"],
                "current": here.startswith(url),
            }
        )
    return shown


def bureau() -> Organisation | None:
    """The bureau of this installation, which holds one district; or the office of a province."""
    tops = (OrganisationKind.BUREAU, OrganisationKind.PROVINCE)
    return Organisation.objects.filter(kind__in=tops).order_by("id").first()


def site() -> dict[str, str]:
    """The bureau's names; the program's name while there is no bureau yet."""
    top = bureau()
    name = str(top) if top else gettext("学政")
    return {"name": name, "short": (top.short_name if top else "") or name}


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context of every page.  Lazy: a page that does not show them pays nothing."""
    context: dict[str, Any] = {
        "site": SimpleLazyObject(site),
        "is_demo": settings.IS_DEMO,
        "actor": getattr(request, "actor", None),
        "navigation": [],
        "inbox_count": 0,
        "unread_count": 0,
        "may_see_board": False,
    }
    if context["actor"]:
        actor = context["actor"]
        context["navigation"] = navigation(request)
        context["inbox_count"] = SimpleLazyObject(lambda: Case.objects.owed_by(actor).count())
        context["unread_count"] = SimpleLazyObject(
            lambda: Notice.objects.visible_to(actor).unread().count()
        )
        context["may_see_board"] = actor.can(Permission.BOARD)
    return context
