"""The digest: once a day one text to each person, with what waits for them and one link.

What somebody owes is what their inbox shows (`Case.objects.owed_by`), worked out for everybody at
once: a query for each of 3,000 people would take minutes.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from xuezheng.boards.context import bureau
from xuezheng.domains.workplan.access import Permission as PlanPermission
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.access.models import Post, User
from xuezheng.kernel.access.permissions import PERSON, grants, roles
from xuezheng.kernel.access.scope import authorities, below
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.flows import owed_permissions
from xuezheng.kernel.cases.models import Case, Move
from xuezheng.kernel.notices.channels import configured
from xuezheng.kernel.notices.models import Delivery, Notice
from xuezheng.kernel.notices.sending import addresses, put
from xuezheng.kernel.reference.parameters import setting
from xuezheng.registry.services.families import telephones_of

#: Of cases: how many, how many of them overdue, due today.
Counts = tuple[int, int, int]
NONE: Counts = (0, 0, 0)


@dataclass(frozen=True)
class Waiting:
    """What waits for one person.  `decides`: as a leader, who has a page for it."""

    owed: int = 0
    overdue: int = 0
    today: int = 0
    unread: int = 0
    decides: bool = False

    def __bool__(self) -> bool:
        return bool(self.owed or self.unread)

    @property
    def path(self) -> str:
        """Where the one link leads."""
        if not self.owed:
            return "/messages/"
        return "/leader/" if self.decides else "/inbox/"

    @property
    def text(self) -> str:
        """The text: numbers only."""
        parts = []
        if self.owed:
            owed = ngettext("%d 件待办", "%d 件待办", self.owed) % self.owed
            pressing = [
                words % number
                for words, number in (
                    (_("逾期 %d"), self.overdue),
                    (_("今天到期 %d"), self.today),
                )
                if number
            ]
            inside = _("（%s）") % _("，").join(pressing) if pressing else ""
            parts.append(f"{owed}{inside}")
        if self.unread:
            parts.append(ngettext("%d 条未读消息", "%d 条未读消息", self.unread) % self.unread)
        return _("学政：您有 %s。") % _("，").join(parts)


def waiting(day: dt.date) -> dict[int, Waiting]:
    """User id -> what waits, for everybody for whom something does; a fixed number of queries."""
    owed, leaders = _owed(day)
    staff = set(Post.objects.current(day).values_list("user", flat=True))
    unread = _unread(staff)
    found = {}
    for user_id in owed.keys() | unread.keys():
        number, overdue, today = owed.get(user_id, NONE)
        made = Waiting(number, overdue, today, unread.get(user_id, 0), user_id in leaders)
        if made:
            found[user_id] = made
    return found


def _unread(staff: set[int]) -> dict[int, int]:
    """User id -> unread notices.  Families hear only of those of the last day, once."""
    since = timezone.now() - dt.timedelta(days=1)
    rows = (
        Notice.objects.unread()
        .filter(user__is_active=True)
        .order_by()
        .values_list("user")
        .annotate(
            all=Count("id"),
            # What went out at once by SMS is not told again.
            new=Count("id", filter=Q(at__gte=since, urgent=False)),
        )
    )
    return {
        user_id: number if user_id in staff else new
        for user_id, number, new in rows
        if user_id in staff or new
    }


def _owed(day: dt.date) -> tuple[dict[int, Counts], set[int]]:
    """What everybody with a post owes, as `owed_by` counts it; and who of them decides as a leader.

    Cases are counted by (permission awaited, organisation, handler) and added up along each person's
    posts; what bars somebody (four eyes) is counted the same way and taken off.
    """
    owable = owed_permissions() - grants()[PERSON]
    free: dict[str, dict[int, Counts]] = defaultdict(dict)
    named: dict[int, list[tuple[str, int, Counts]]] = defaultdict(list)
    for awaits, organisation, handler, *counts in _counted(Case.objects.open(), day):
        if awaits not in owable:
            continue
        if handler is None:
            free[awaits][organisation] = tuple(counts)
        else:
            named[handler].append((awaits, organisation, tuple(counts)))
    barred: dict[int, list[tuple[str, int, int | None, Counts]]] = defaultdict(list)
    for user, awaits, organisation, handler, *counts in _barred(day):
        barred[user].append((awaits, organisation, handler, tuple(counts)))

    posts = list(Post.objects.current(day).only("id", "user_id", "organisation_id", "role"))
    starts = {post.organisation_id for post in posts}
    tops = authorities(starts, day) if starts else {}
    trees = below(starts | set(tops.values()), day) if starts else {}
    known, given = roles(), grants()
    reach: dict[int, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for post in posts:
        wide = known[post.role].reach == "authority"
        root = tops[post.organisation_id] if wide else post.organisation_id
        for permission in given[post.role] & owable:
            reach[post.user_id][permission].add(root)

    summed: dict[tuple[str, frozenset[int]], Counts] = {}

    def free_in(permission: str, roots: frozenset[int]) -> Counts:
        if (permission, roots) not in summed:
            organisations = frozenset().union(*(trees[root] for root in roots))
            summed[permission, roots] = _sum(
                counts for org, counts in free[permission].items() if org in organisations
            )
        return summed[permission, roots]

    found, leaders = {}, set()
    for user, held in reach.items():

        def reaches(permission: str, organisation: int, held: Mapping = held) -> bool:
            return any(organisation in trees[root] for root in held.get(permission, ()))

        counts = [free_in(permission, frozenset(roots)) for permission, roots in held.items()]
        counts += [c for awaits, org, c in named.get(user, ()) if reaches(awaits, org)]
        off = [
            c
            for awaits, org, handler, c in barred.get(user, ())
            if handler in (None, user) and reaches(awaits, org)
        ]
        total, minus = _sum(counts), _sum(off)
        if total[0] > minus[0]:
            found[user] = tuple(a - b for a, b in zip(total, minus, strict=True))
            if PlanPermission.DECIDE in held:
                leaders.add(user)
    return found, leaders


def _sum(counts: Iterable[Counts]) -> Counts:
    total = NONE
    for one in counts:
        total = tuple(a + b for a, b in zip(total, one, strict=True))
    return total


def _counted(cases: QuerySet[Case], day: dt.date) -> Iterable[tuple]:
    """(permission awaited, organisation, handler, cases, overdue ones, those due today)."""
    groups = cases.order_by().values_list("awaits", "organisation", "handler")
    return groups.annotate(
        n=Count("id"),
        overdue=Count("id", filter=Q(due__lt=day)),
        today=Count("id", filter=Q(due=day)),
    )


def _barred(day: dt.date) -> Iterable[tuple]:
    """The same, with the user in front, of cases whose next step that user may not take."""
    moves = Move.objects.filter(bars_next=True, user__isnull=False).exclude(case__phase="closed")
    groups = moves.order_by().values_list(
        "user", "case__awaits", "case__organisation", "case__handler"
    )
    return groups.annotate(
        n=Count("case", distinct=True),
        overdue=Count("case", distinct=True, filter=Q(case__due__lt=day)),
        today=Count("case", distinct=True, filter=Q(case__due=day)),
    )


def key_of(day: dt.date) -> str:
    """The key of a day's deliveries."""
    return f"digest.{day.isoformat()}"


def hour() -> int:
    """The local hour at which the digest goes out."""
    top = bureau()
    code = top.code if top else ""
    return int(setting("notices.digest_hour", timezone.localdate(), code).value)


def compose(day: dt.date, *, by: Actor) -> int:
    """Make the day's deliveries: one text for each person, by each channel that they chose.

    Done again, it adds nothing; whoever has no channel finds everything in the program.  One
    transaction.  Returns how many people are told.
    """
    channels = configured()
    if not channels or Delivery.objects.filter(key=key_of(day)).exists():
        return 0
    with fenced(by=by):
        found = waiting(day)
        active = set(User.objects.filter(pk__in=found, is_active=True).values_list("pk", flat=True))
        found = {user: made for user, made in found.items() if user in active}
        reach = addresses(found.keys(), channels, telephones_of)
        texts = put(
            key_of(day),
            (
                (user, channel, made.text, made.path)
                for user, made in sorted(found.items())
                for channel in reach[user]
            ),
        )
        told = sum(1 for user in found if reach[user])
        record(
            "notices.digest",
            by=by,
            object_type="delivery",
            object_id=key_of(day),
            detail={"people": len(found), "told": told, "texts": texts},
        )
    return told
