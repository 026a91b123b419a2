"""The first page of people and places: numbers, links, what needs attention."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.exchange.access import Permission as Exchange
from xuezheng.registry import selectors
from xuezheng.registry.access import Permission
from xuezheng.registry.models import DuplicatePair, Employment, Pupil, SchoolClass
from xuezheng.registry.views.common import page


@require_GET
@requires(Permission.SITE_SEE)
def registry_home(request: HttpRequest) -> HttpResponse:
    """Cards with numbers in reach; below, what waits for somebody."""
    actor, today = request.actor, timezone.localdate()
    site_ids = set(selectors.open_sites(actor, Permission.SITE_SEE).values_list("id", flat=True))
    counts = selectors.headcount(site_ids)
    classes = SchoolClass.objects.visible_to(actor).current(today)
    staff = Employment.objects.current(today).filter(organisation_id__in=site_ids)
    cards = [
        (_("学校（单位）"), len(site_ids), "site_list", Permission.SITE_SEE, "school"),
        (_("班级"), classes.count(), "school_class_list", Permission.SITE_SEE, "rows-3"),
        (_("学生（含休学）"), counts.total, "pupil_list", Permission.PUPIL_SEE, "graduation-cap"),
        (
            _("在职教职工"),
            staff.values("staff").distinct().count(),
            "staff_list",
            Permission.STAFF_SEE,
            "user-round",
        ),
    ]
    context = {
        "title": _("人员与学校"),
        "cards": [
            {
                "label": label,
                "value": value,
                "url": reverse(name) if actor.can(permission) else "",
                "icon": icon,
            }
            for label, value, name, permission, icon in cards
        ],
        "attention": _attention(request),
        "may": {
            "years": actor.can(Permission.SITE_EDIT),
            "pupils": actor.can(Permission.PUPIL_EDIT),
            "staff": actor.can(Permission.STAFF_EDIT),
            "classes": actor.can(Permission.CLASS_EDIT),
            "sites": actor.can(Permission.SITE_EDIT),
            "imports": actor.can(Exchange.USE),
            "opening": actor.can(Permission.OPENING),
        },
    }
    return page(request, "home", "home", context)


def _attention(request: HttpRequest) -> list[dict[str, object]]:
    """What waits, with a number and where to go; only what the reader can do something about."""
    actor, waiting = request.actor, []
    if actor.can(Permission.MERGE):
        pairs = DuplicatePair.objects.filter(state=DuplicatePair.State.OPEN).count()
        if pairs:
            words = _("对记录可能是同一人，等待判断")
            waiting.append({"count": pairs, "words": words, "url": reverse("duplicate_list")})
    if actor.can(Permission.PUPIL_SEE):
        rows = Pupil.objects.visible_to(actor).live()
        loose = rows.unplaced().count()
        if loose:
            url = reverse("pupil_list") + "?state=unplaced"
            waiting.append({"count": loose, "words": _("名学生还没有落实学校"), "url": url})
        classless = rows.filter(organisation__isnull=False, school_class__isnull=True).count()
        if classless:
            url = reverse("pupil_list") + "?state=classless"
            waiting.append({"count": classless, "words": _("名学生还没有编班"), "url": url})
    if actor.can(Permission.SITE_EDIT):
        year = selectors.school_year_of(timezone.localdate())
        if not selectors.school_years(actor).filter(starts_on__year=year).exists():
            words = _("本学年还没有设置")
            waiting.append({"count": None, "words": words, "url": reverse("year_list")})
    return waiting
