"""Pages of sites: tree, list, one site, entering and editing, moving, closing, succession."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.access.models import (
    EdgeKind,
    Organisation,
    OrganisationEdge,
    Post,
    User,
    in_force,
)
from xuezheng.kernel.ui.steps import attempt
from xuezheng.registry import selectors
from xuezheng.registry.access import Permission
from xuezheng.registry.exchange import SITES
from xuezheng.registry.filters import SiteFilter
from xuezheng.registry.forms.places import (
    CloseSiteForm,
    MoveSiteForm,
    SiteForm,
    SuccessionForm,
)
from xuezheng.registry.models import Employment, SiteProfile, Succession
from xuezheng.registry.organisations import OrganisationKind
from xuezheng.registry.roles import ROLES
from xuezheng.registry.services import sites, succession
from xuezheng.registry.views.common import form_page, list_page, page
from xuezheng.registry.words import grade_word


def _day(request: HttpRequest) -> dt.date:
    """The chosen day, today when none or not a day."""
    try:
        return parse_date(request.GET.get("day", "")) or timezone.localdate()
    except ValueError:
        return timezone.localdate()


@require_GET
@requires(Permission.SITE_SEE)
def site_tree(request: HttpRequest) -> HttpResponse:
    """Authority, towns, sites, offices by the edges in force on a chosen day."""
    day = _day(request)
    reached = request.actor.scope(Permission.SITE_SEE).organisations
    existing = Organisation.objects.filter(
        Q(opened__isnull=True) | Q(opened__lte=day),
        Q(closed__isnull=True) | Q(closed__gte=day),
        id__within=reached,
    )
    nodes = {row.id: row for row in existing}
    below: dict[int, list[Organisation]] = defaultdict(list)
    placed: set[int] = set()
    edges = OrganisationEdge.objects.filter(in_force(day), child_id__in=nodes).order_by("id")
    # A site stands under its town where the town is in reach, else under its authority.
    for kind in (EdgeKind.AREA, EdgeKind.AUTHORITY):
        for edge in edges:
            if edge.kind == kind and edge.parent_id in nodes and edge.child_id not in placed:
                below[edge.parent_id].append(nodes[edge.child_id])
                placed.add(edge.child_id)
    order = {node_id: at for at, node_id in enumerate(nodes)}
    branches = []
    for root in (node for node in nodes.values() if node.id not in placed):
        children = sorted(below[root.id], key=lambda node: order[node.id])
        groups = [
            {"node": child, "leaves": sorted(below[child.id], key=lambda node: order[node.id])}
            for child in children
            if below[child.id]
        ]
        single = [child for child in children if not below[child.id]]
        branches.append({"node": root, "groups": groups, "single": single})
    context = {
        "title": _("组织机构"),
        "branches": branches,
        "day": day,
        "count": len(nodes),
        "site_kinds": [kind.value for kind in selectors.SITE_KINDS],
        "kinds": dict(OrganisationKind.choices),
    }
    return page(request, "site_tree", "sites", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.SITE_SEE)
def site_list(request: HttpRequest) -> HttpResponse:
    """Sites in reach with numbers of pupils and staff."""
    actor = request.actor
    rows = selectors.sites(actor).select_related("site_profile").order_by("order", "code")
    filterset = SiteFilter(request.GET, queryset=rows, request=request)

    def prepare(shown: list[Organisation]) -> dict[str, object]:
        ids = [row.id for row in shown]
        counts = selectors.headcount(ids)
        towns = selectors.town_of(ids, timezone.localdate())
        staff = dict(
            Employment.objects.current(timezone.localdate())
            .filter(organisation_id__in=ids)
            .values_list("organisation")
            .annotate(Count("staff", distinct=True))
        )
        for row in shown:
            row.town, row.pupil_count = towns.get(row.id), counts.by_site.get(row.id, 0)
            row.staff_count = staff.get(row.id, 0)
            row.profile = getattr(row, "site_profile", None)
        return {"kinds": dict(OrganisationKind.choices)}

    return list_page(
        request,
        filterset,
        section="sites",
        template="site_list",
        title=_("学校"),
        table=SITES,
        may_export=actor.can(Permission.SITE_SEE),
        prepare=prepare,
        chips=[("", _("办学中")), ("closed", _("已停办")), ("all", _("全部"))],
        may_edit=actor.can(Permission.SITE_EDIT),
    )


def _site(request: HttpRequest, code: str, permission: str = Permission.SITE_SEE) -> Organisation:
    return get_object_or_404(selectors.sites(request.actor, permission), code=code)


def _by_person(posts: Iterable[Post], words: dict[str, Any]) -> list[tuple[User, list[Any]]]:
    """Each person once, with the roles held here: one teacher may hold them all, some twice."""
    held: dict[User, dict[Any, None]] = {}
    for post in posts:
        held.setdefault(post.user, {})[words.get(post.role, post.role)] = None
    return [(user, list(roles)) for user, roles in held.items()]


@require_GET
@requires(Permission.SITE_SEE)
def site_detail(request: HttpRequest, code: str) -> HttpResponse:
    """One site: profile, classes by grade, staff by category, who leads it, its history."""
    site = _site(request, code)
    today = timezone.localdate()
    counts = selectors.headcount([site.id])
    by_grade: dict[tuple[str, int], dict] = {}
    for row in site.classes.current(today):
        group = by_grade.setdefault(
            (row.stage, row.grade), {"label": "", "classes": [], "pupils": 0}
        )
        row.pupil_count = counts.by_class.get(row.id, 0)
        group["classes"].append(row)
        group["pupils"] += row.pupil_count
    for (stage, grade), group in by_grade.items():
        known = (stage, grade) in selectors.grades()
        group["label"] = grade_word(stage, grade) if known else _("已到毕业年限")
    staff = (
        Employment.objects.current(today)
        .filter(organisation=site)
        .values_list("staff__category")
        .annotate(Count("staff", distinct=True))
    )
    labels = dict(Employment.staff.field.related_model.Category.choices)
    edges = site.edges_up.select_related("parent").order_by("-valid_from", "kind")
    changes = Succession.objects.filter(Q(predecessor=site) | Q(successor=site))
    may_edit = site.id in request.actor.scope(Permission.SITE_EDIT)
    role_words = {role.key: role.label for role in ROLES}
    posts = Post.objects.current(today).filter(organisation=site).select_related("user")
    context = {
        "title": str(site),
        "school": site,
        "profile": SiteProfile.objects.filter(pk=site.pk).first(),
        "kind": OrganisationKind(site.kind).label,
        "groups": [by_grade[key] for key in sorted(by_grade, key=_grade_order)],
        "pupils": counts.total,
        "classless": counts.total - sum(counts.by_class.values()),
        "staff": [(labels[category], count) for category, count in staff],
        "staff_total": sum(count for _category, count in staff),
        "posts": _by_person(posts, role_words),
        "edges": edges,
        "changes": changes.select_related("predecessor", "successor"),
        "may_edit": may_edit,
        "may_open_pupils": site.id in request.actor.scope(Permission.PUPIL_SEE),
        "may_open_staff": site.id in request.actor.scope(Permission.STAFF_SEE),
        "may_edit_classes": site.id in request.actor.scope(Permission.CLASS_EDIT),
        "is_open": site.closed is None or site.closed > today,
    }
    return page(request, "site_detail", "sites", context)


def _grade_order(key: tuple[str, int]) -> tuple[int, int]:
    stages = [stage for stage, _grade in selectors.grades()]
    return (stages.index(key[0]), key[1])


@require_http_methods(["GET", "POST"])
@requires(Permission.SITE_EDIT)
def site_add(request: HttpRequest) -> HttpResponse:
    """Enter a new site."""
    form = SiteForm(request.POST or None, actor=request.actor)

    def call() -> Organisation:
        data = form.cleaned_data
        return sites.create_site(
            code=data["code"],
            town=data["town"],
            opened=data["opened"],
            fields=form.values(),
            by=request.actor,
        )

    return form_page(
        request,
        form,
        call,
        section="sites",
        title=_("新建学校"),
        done=lambda site: reverse("site_detail", args=[site.code]),
        message=_("已新建。"),
        back=reverse("site_list"),
        trail=[(reverse("site_list"), _("学校"))],
    )


def _site_trail(site: Organisation) -> list[tuple[str, str]]:
    return [
        (reverse("site_list"), _("学校")),
        (reverse("site_detail", args=[site.code]), str(site)),
    ]


@require_http_methods(["GET", "POST"])
@requires(Permission.SITE_EDIT)
def site_edit(request: HttpRequest, code: str) -> HttpResponse:
    """Edit a site's profile."""
    site = _site(request, code, Permission.SITE_EDIT)
    profile = SiteProfile.objects.filter(pk=site.pk).first()
    form = SiteForm(request.POST or None, actor=request.actor, site=site, profile=profile)
    back = reverse("site_detail", args=[code])
    return form_page(
        request,
        form,
        lambda: sites.edit_site(
            site, fields=form.values(), version=form.cleaned_data["version"], by=request.actor
        ),
        section="sites",
        title=_("修改学校信息"),
        done=back,
        message=_("已保存。"),
        back=back,
        trail=_site_trail(site),
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.SITE_EDIT)
def site_move(request: HttpRequest, code: str) -> HttpResponse:
    """Put a site under another town from a day."""
    site = _site(request, code, Permission.SITE_EDIT)
    form = MoveSiteForm(request.POST or None, actor=request.actor)
    back = reverse("site_detail", args=[code])
    return form_page(
        request,
        form,
        lambda: sites.move_site(
            site, town=form.cleaned_data["town"], on=form.cleaned_data["on"], by=request.actor
        ),
        section="sites",
        title=_("调整所属镇街"),
        lead=_("生效日之前的数据仍归原镇街。"),
        done=back,
        message=_("已调整。"),
        back=back,
        trail=_site_trail(site),
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.SITE_EDIT)
def site_close(request: HttpRequest, code: str) -> HttpResponse:
    """Close a site in which nobody is left."""
    site = _site(request, code, Permission.SITE_EDIT)
    form = CloseSiteForm(request.POST or None)
    back = reverse("site_detail", args=[code])
    return form_page(
        request,
        form,
        lambda: sites.close_site(
            site,
            on=form.cleaned_data["on"],
            document=form.cleaned_data["document"],
            by=request.actor,
        ),
        section="sites",
        title=_("撤销单位"),
        lead=_("只能撤销已经没有学生、班级和在职人员的单位；历史数据保留。"),
        submit=_("撤销"),
        done=back,
        message=_("已撤销。"),
        back=back,
        trail=_site_trail(site),
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.SITE_EDIT)
def site_succeed(request: HttpRequest, code: str) -> HttpResponse:
    """Merger, split, change: form, then a preview of what will happen, then the act."""
    site = _site(request, code, Permission.SITE_EDIT)
    form = SuccessionForm(request.POST or None, actor=request.actor, site=site)
    back = reverse("site_detail", args=[code])
    context = {
        "form": form,
        "title": _("合并、分设或更名"),
        "school": site,
        "submit": _("看看会发生什么"),
        "cancel_url": back,
        "trail": _site_trail(site),
    }
    if request.method != "POST" or not form.is_valid():
        return page(request, "succession", "sites", context, 422 if form.errors else 200)
    data = form.cleaned_data
    if request.POST.get("sure"):
        done = attempt(
            form,
            lambda: succession.succeed(
                site,
                successor=data["successor"],
                kind=data["kind"],
                on=data["on"],
                document=data["document"],
                classes=form.chosen(),
                by=request.actor,
            ),
        )
        if done:
            messages.success(
                request,
                _("已移交：%(classes)d个班、%(pupils)d名学生、%(staff)d段任职、%(posts)d个岗位。")
                % vars(done),
            )
            return redirect("site_detail", data["successor"].code)
        return page(request, "succession", "sites", context, 422)
    sound = attempt(
        form,
        lambda: succession.examine(
            site,
            successor=data["successor"],
            kind=data["kind"],
            classes=form.chosen(),
            on=data["on"],
        ),
    )
    if sound is None:
        return page(request, "succession", "sites", context, 422)
    done = succession.effects(site, kind=data["kind"], classes=form.chosen(), on=data["on"])
    names = {"source": site, "target": data["successor"], "day": data["on"].isoformat()}
    preview = [
        ngettext(
            "%(count)d个班从%(day)s起转到%(target)s，班号重复的顺延。",
            "%(count)d个班从%(day)s起转到%(target)s，班号重复的顺延。",
            done.classes,
        )
        % (names | {"count": done.classes}),
        ngettext(
            "%(count)d名学生随班转入%(target)s；%(day)s之前的就读经历仍记在%(source)s。",
            "%(count)d名学生随班转入%(target)s；%(day)s之前的就读经历仍记在%(source)s。",
            done.pupils,
        )
        % (names | {"count": done.pupils}),
    ]
    if done.closes:
        preview += [
            ngettext(
                "%(count)d段任职转到%(target)s。", "%(count)d段任职转到%(target)s。", done.staff
            )
            % (names | {"count": done.staff}),
            ngettext(
                "%(count)d个岗位（账号权限）转到%(target)s。",
                "%(count)d个岗位（账号权限）转到%(target)s。",
                done.posts,
            )
            % (names | {"count": done.posts}),
            _("%(source)s在%(day)s前一天撤销；过去的数据和指标仍归它。") % names,
        ]
    else:
        preview.append(_("%(source)s保留，其余班级、教职工和岗位不动。") % names)
    return page(request, "succession_preview", "sites", context | {"effects": preview})
