"""Setting a season: making or copying it, its days, places, redirections; opening it when it is whole."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.models import (
    Intake,
    Redirection,
    RuleSet,
    Season,
    Zone,
    ZonePart,
)
from xuezheng.domains.admissions.services.ladder_words import tier_words
from xuezheng.domains.admissions.services.zoning import may_change, part_words, survey_areas
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Post
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.registry.selectors import authority
from xuezheng.registry.services.common import locked

#: Days of a season in their order.
DAYS = ("opens_at", "closes_at", "faults_until", "result_on", "confirm_until", "arrival_on")
#: Those without which it cannot be opened; a public school's place needs no confirmation.
NEEDED = ("opens_at", "closes_at", "faults_until", "result_on", "arrival_on")
TEXTS = ("title", "mechanism", "guide", "phone")
#: What copying takes over of places.
PLAN = ("places", "classes", "mode", "draw_when_over")


def _label(name: str) -> str:
    return str(Season._meta.get_field(name).verbose_name)


def _noted(
    action: str,
    season: Season,
    post: Post | None,
    by: Actor,
    *,
    reason: str = "",
    **detail: Any,
) -> None:
    record(
        action,
        by=by,
        post=post,
        organisation_id=season.organisation_id,
        object_type="season",
        object_id=season.pk,
        reason=reason,
        detail=detail,
    )


# -- making -----------------------------------------------------------------------------------------
@transaction.atomic
def create_season(*, level: str, year: int, title: str, by: Actor) -> Season:
    """An empty season of the actor's authority.  Raises PermissionDenied, StepRefused (there is one)."""
    organisation = authority(by)
    post = by.post_for(Permission.SEASON, organisation.id)
    _check_new(organisation.id, level, year)
    season = Season.objects.create(organisation=organisation, level=level, year=year, title=title)
    _noted("admissions.season_add", season, post, by, level=level, year=year)
    return season


def _check_new(organisation_id: int, level: str, year: int) -> None:
    same = Season.objects.filter(organisation=organisation_id, level=level, year=year)
    if same.exists():
        raise StepRefused(_("这个学段 %d 年的批次已经有了。") % year)


def years_later(value: Any, years: int) -> Any:
    """A day or moment some years later; 29 February becomes 28.  None stays None."""
    if value is None:
        return None
    local = timezone.localtime(value) if isinstance(value, dt.datetime) else value
    try:
        return local.replace(year=local.year + years)
    except ValueError:
        return local.replace(year=local.year + years, day=28)


@transaction.atomic
def copy_season(source: Season, *, year: int, title: str, by: Actor) -> Season:
    """A season like an earlier one: days shifted by whole years, places, redirections, areas, rule set.

    Raises PermissionDenied, OutOfScope, StepRefused (there is one; not a later year).
    """
    post = by.post_for(Permission.SEASON, source.organisation_id)
    if year <= source.year:
        raise StepRefused(_("年份须晚于被复制的批次。"))
    _check_new(source.organisation_id, source.level, year)
    later = year - source.year
    made = Season.objects.create(
        organisation=source.organisation,
        level=source.level,
        year=year,
        title=title,
        mechanism=source.mechanism,
        rule_set=source.rule_set,
        guide=source.guide,
        phone=source.phone,
        copied_from=source,
        **{name: years_later(getattr(source, name), later) for name in (*DAYS, "register_by")},
    )
    _copy_plan(source, made)
    _copy_areas(source, made)
    _noted("admissions.season_copy", made, post, by, source=source.pk, year=year)
    return made


def _copy_plan(source: Season, made: Season) -> None:
    old = list(source.intakes.all())
    new = Intake.objects.bulk_create(
        Intake(
            season=made,
            school_id=row.school_id,
            **{name: getattr(row, name) for name in PLAN},
        )
        for row in old
    )
    of = {row.id: copy for row, copy in zip(old, new, strict=True)}
    Redirection.objects.bulk_create(
        Redirection(intake=of[row.intake_id], target=of[row.target_id], rank=row.rank)
        for row in Redirection.objects.filter(intake__season=source)
    )


def _copy_areas(source: Season, made: Season) -> None:
    old = list(source.zones.prefetch_related("schools", "parts"))
    new = Zone.objects.bulk_create(
        Zone(season=made, code=zone.code, name=zone.name) for zone in old
    )
    through = Zone.schools.through
    through.objects.bulk_create(
        through(zone_id=copy.id, organisation_id=school.id)
        for zone, copy in zip(old, new, strict=True)
        for school in zone.schools.all()
    )
    ZonePart.objects.bulk_create(
        ZonePart(
            zone=copy, community_id=part.community_id, road=part.road, side=part.side,
            first=part.first, last=part.last, buildings=part.buildings,
        )
        for zone, copy in zip(old, new, strict=True)
        for part in zone.parts.all()
    )  # fmt: skip


# -- days and texts ---------------------------------------------------------------------------------
def day_problems(days: Mapping[str, Any]) -> dict[str, str]:
    """Which days of a calendar stand before an earlier one: field -> what is wrong."""
    found: dict[str, str] = {}
    before: tuple[str, dt.date] | None = None
    for name in DAYS:
        value = days.get(name)
        if value is None:
            continue
        day = timezone.localtime(value).date() if isinstance(value, dt.datetime) else value
        if before and day < before[1]:
            found[name] = _("不能早于“%(label)s”（%(day)s）。") % {
                "label": _label(before[0]),
                "day": before[1].isoformat(),
            }
        before = (name, day)
    opens, closes, by_day = days.get("opens_at"), days.get("closes_at"), days.get("register_by")
    if opens and closes and closes <= opens:
        found["closes_at"] = _("须晚于开始登记的时间。")
    if by_day and closes and by_day > timezone.localtime(closes).date():
        found["register_by"] = _("不能晚于截止登记的那天。")
    return found


@transaction.atomic
def edit_season(
    season: Season, *, version: int, reason: str = "", by: Actor, **fields: Any
) -> Season:
    """Change days, mechanism, guide, telephone (names of DAYS, `register_by`, TEXTS).

    Before registration begins freely, then with a reason; days that are over stay.  Raises
    PermissionDenied, OutOfScope, StepRefused.
    """
    post = may_change(season, Permission.SEASON, reason=reason, by=by)
    season = locked(season, version)
    problems = day_problems(fields)
    if problems:
        name, text = next(iter(problems.items()))
        raise StepRefused(f"{_label(name)}{text}")
    if season.state != Season.State.PREPARING:
        missing = [name for name in NEEDED if not fields.get(name)]
        if missing:
            raise StepRefused(_("登记已经开始，%s不能为空。") % _label(missing[0]))
        if fields.get("mechanism") != season.mechanism:
            raise StepRefused(_("登记已经开始，分配方式不能再改。"))
    changed = [name for name in fields if getattr(season, name) != fields[name]]
    for name in changed:
        setattr(season, name, fields[name])
    season.version += 1
    season.save()
    _noted("admissions.season_edit", season, post, by, reason=reason, fields=sorted(changed))
    return season


# -- places -----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class PlanLine:
    """Places of a school as somebody enters them."""

    school_id: int
    places: int
    classes: int
    mode: str
    draw_when_over: bool = False


@transaction.atomic
def save_intakes(
    season: Season,
    lines: Sequence[PlanLine],
    *,
    version: int | None = None,
    reason: str = "",
    by: Actor,
) -> int:
    """Make the places of a season these: returns how many schools changed.

    A school that is no longer named goes with its redirections, unless an area or a family's list
    names it.  Raises PermissionDenied, OutOfScope, StepRefused.
    """
    post = may_change(season, Permission.SEASON, reason=reason, by=by)
    season = locked(season, version)
    wanted = {line.school_id: line for line in lines}
    if len(wanted) < len(lines):
        raise StepRefused(_("同一所学校只能写一行。"))
    for line in lines:
        if line.draw_when_over and line.mode != Intake.Mode.CHOICE:
            raise StepRefused(_("只有按志愿招生的学校可以超额摇号。"))
    held = {row.school_id: row for row in season.intakes.select_for_update()}
    _take_out(season, [held[key] for key in held.keys() - wanted.keys()])
    changed = len(held.keys() - wanted.keys())
    for key, line in wanted.items():
        row = held.get(key) or Intake(season=season, school_id=key, version=0)
        now = {name: getattr(line, name) for name in PLAN}
        if row.pk and all(getattr(row, name) == value for name, value in now.items()):
            continue
        for name, value in now.items():
            setattr(row, name, value)
        row.version += 1
        row.save()
        changed += 1
    season.version += 1
    season.save(update_fields=["version"])
    places = sum(line.places for line in lines)
    _noted(
        "admissions.intakes_edit",
        season, post, by, reason=reason, schools=len(lines), changed=changed, places=places,
    )  # fmt: skip
    return changed


def _take_out(season: Season, rows: Sequence[Intake]) -> None:
    schools = [row.school_id for row in rows]
    if Zone.objects.filter(season=season, schools__in=schools).exists():
        raise StepRefused(_("还有服务区写着要去掉的学校，请先改服务区。"))
    for row in rows:
        if row.choices.exists():
            raise StepRefused(_("已有家庭填报要去掉的学校。"))
        row.delete()


@transaction.atomic
def save_redirections(
    intake: Intake, targets: Sequence[int], *, reason: str = "", by: Actor
) -> None:
    """Where children go whom a full school cannot take: ids of intakes, first rank first.

    Raises PermissionDenied, OutOfScope, StepRefused (itself, twice, of another season).
    """
    season = intake.season
    post = may_change(season, Permission.SEASON, reason=reason, by=by)
    if intake.id in targets or len(set(targets)) < len(targets):
        raise StepRefused(_("分流去向不能是本校，也不能重复。"))
    if Intake.objects.filter(season=season, id__in=targets).count() < len(targets):
        raise StepRefused(_("分流去向须在本批次的招生计划里。"))
    intake.redirections.all().delete()
    Redirection.objects.bulk_create(
        Redirection(intake=intake, target_id=target, rank=rank)
        for rank, target in enumerate(targets, start=1)
    )
    _noted(
        "admissions.redirections_edit",
        season, post, by, reason=reason, intake=intake.pk, targets=list(targets),
    )  # fmt: skip


@transaction.atomic
def choose_rule_set(season: Season, rule_set: RuleSet, *, by: Actor) -> None:
    """Set the ladder of a season that is being prepared.  Raises what `may_change` raises, and
    StepRefused for a ladder of another level or one that was not adopted.
    """
    post = by.post_for(Permission.SEASON, season.organisation_id)
    season = locked(season)
    if season.state != Season.State.PREPARING:
        raise StepRefused(_("登记已经开始，录取规则不能再换。"))
    if rule_set.level != season.level:
        raise StepRefused(_("这套规则是另一个学段的。"))
    if rule_set.adopted_on is None:
        raise StepRefused(_("这套规则还没有通过，先登记通过的会议编号。"))
    season.rule_set = rule_set
    season.version += 1
    season.save(update_fields=["rule_set", "version"])
    _noted("admissions.rule_set_chosen", season, post, by, rule_set=rule_set.pk)


# -- difference -------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Change:
    """One thing that differs between two seasons, as words; "" where one has none."""

    what: str
    old: str
    new: str


#: Section -> its words, in the order in which they are shown.
SECTIONS = {
    "days": gettext_lazy("日程和方式"),
    "intakes": gettext_lazy("招生计划"),
    "zones": gettext_lazy("服务区"),
    "tiers": gettext_lazy("录取顺位"),
}


def differences(new: Season, old: Season) -> dict[str, list[Change]]:
    """What a season changes against another one, by the keys of SECTIONS (ten queries)."""
    return {
        "days": _day_changes(new, old),
        "intakes": _compared(_plan_words(new), _plan_words(old)),
        "zones": _compared(_zone_words(new), _zone_words(old)),
        "tiers": _compared(_tier_words(new.rule_set), _tier_words(old.rule_set)),
    }


def _compared(new: Mapping[str, str], old: Mapping[str, str]) -> list[Change]:
    keys = list(dict.fromkeys([*old, *new]))
    pairs = ((key, old.get(key, ""), new.get(key, "")) for key in keys)
    return [Change(key, before, now) for key, before, now in pairs if before != now]


def _day_words(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return f"{timezone.localtime(value):%Y-%m-%d %H:%M}"
    return value.isoformat() if isinstance(value, dt.date) else str(value or "")


def _day_changes(new: Season, old: Season) -> list[Change]:
    """Days count as changed when they are not the same day of the later year."""
    found = []
    for name in (*DAYS, "register_by"):
        before, now = getattr(old, name), getattr(new, name)
        if years_later(before, new.year - old.year) != now:
            found.append(Change(_label(name), _day_words(before), _day_words(now)))
    if new.mechanism != old.mechanism:
        found.append(
            Change(_label("mechanism"), old.get_mechanism_display(), new.get_mechanism_display())
        )
    if new.phone != old.phone:
        found.append(Change(_label("phone"), old.phone, new.phone))
    return found


def _plan_words(season: Season) -> dict[str, str]:
    targets: dict[int, list[str]] = {}
    rows = Redirection.objects.filter(intake__season=season).select_related("target__school")
    for row in rows.order_by("intake", "rank"):
        targets.setdefault(row.intake_id, []).append(str(row.target.school))
    words = {}
    for row in season.intakes.select_related("school"):
        text = _("%(places)d 个学位，%(classes)d 个班，%(mode)s") % {
            "places": row.places,
            "classes": row.classes,
            "mode": row.get_mode_display(),
        }
        if row.draw_when_over:
            text += _("，超额摇号")
        if row.id in targets:
            text += _("，分流到%s") % "、".join(targets[row.id])
        words[str(row.school)] = text
    return words


def _zone_words(season: Season) -> dict[str, str]:
    words = {}
    for zone in season.zones.prefetch_related("schools", "parts__community"):
        lines = sorted(
            part_words(part.as_part("", part.community.code), part.community.name)
            for part in zone.parts.all()
        )
        schools = "、".join(str(school) for school in zone.schools.all())
        words[f"{zone.code} {zone.name}"] = f"{schools}：{'；'.join(lines)}"
    return words


def _tier_words(rule_set: RuleSet | None) -> dict[str, str]:
    tiers = rule_set.data.get("tiers", []) if rule_set else []
    return {
        _("第 %d 顺位") % number: tier_words(tier) for number, tier in enumerate(tiers, start=1)
    }


# -- going forward ----------------------------------------------------------------------------------
@dataclass(frozen=True)
class Point:
    """One thing to be in order before a season opens.  `waivable`: a reason will do instead."""

    key: str
    text: str
    good: bool
    waivable: bool = False


def opening_points(season: Season, *, by: Actor) -> list[Point]:
    """What must be in order before families register, in words, with whether it is."""
    missing = [_label(name) for name in NEEDED if not getattr(season, name)]
    ladder = season.rule_set is not None and season.rule_set.adopted_on is not None
    intakes = list(season.intakes.select_related("school"))
    in_area = set(
        Zone.objects.filter(season=season, parts__isnull=False).values_list("schools", flat=True)
    )
    bare = [
        str(row.school)
        for row in intakes
        if row.mode == Intake.Mode.ZONE and row.school_id not in in_area
    ]
    found = survey_areas(season, by=by)
    loose = [f.words for f in (*found.gaps, *found.overlaps)]
    by_zone = any(row.mode == Intake.Mode.ZONE for row in intakes)
    problems = day_problems({name: getattr(season, name) for name in (*DAYS, "register_by")})
    return [
        Point("rules", _("录取规则已经通过"), ladder),
        Point("days", _shown(_("日程齐全，先后有序"), [*missing, *map(_label, problems)]),
              not (missing or problems)),
        Point("phone", _("有咨询电话"), bool(season.phone)),
        Point("intakes", _("有招生计划"), any(row.places for row in intakes)),
        Point("areas", _shown(_("每所按服务区招生的学校都有服务区"), bare), not bare),
        Point("survey", _shown(_("没有漏划和重划的地址"), loose), not (by_zone and loose), True),
    ]  # fmt: skip


def _shown(text: str, exceptions: Sequence[str]) -> str:
    """A sentence with the first few exceptions to it."""
    if not exceptions:
        return text
    some = "、".join(exceptions[:3])
    if len(exceptions) > 3:
        some += _("等 %d 处") % len(exceptions)
    return _("%(text)s（例外：%(some)s）") % {"text": text, "some": some}


@transaction.atomic
def open_season(season: Season, *, reason: str = "", by: Actor) -> None:
    """Preparing -> open: families may register from the day set on.

    Raises PermissionDenied, OutOfScope; StepRefused with what is not in order, where no reason for
    leaving addresses without an area, or with two, is given.
    """
    post = by.post_for(Permission.SEASON, season.organisation_id)
    season = locked(season)
    _check_state(season, Season.State.PREPARING)
    bad = [point for point in opening_points(season, by=by) if not point.good]
    hard = [point.text for point in bad if not point.waivable]
    if hard:
        raise StepRefused(_("还不能开放：%s。") % "；".join(hard))
    if bad and not reason.strip():
        raise StepRefused(_("有漏划或重划的地址，请写明为什么仍要开放。"))
    season.state = Season.State.OPEN
    season.version += 1
    season.save(update_fields=["state", "version"])
    _noted(
        "admissions.season_open", season, post, by,
        reason=reason, rule_set=season.rule_set_id, waived=[point.key for point in bad],
    )  # fmt: skip


@transaction.atomic
def close_registration(season: Season, *, by: Actor) -> None:
    """Open -> checking, once the last moment of registration is over.  Raises as `open_season`."""
    post = by.post_for(Permission.SEASON, season.organisation_id)
    season = locked(season)
    _check_state(season, Season.State.OPEN)
    if not season.closes_at or season.closes_at > timezone.now():
        when = date_format(timezone.localtime(season.closes_at), "Y-m-d H:i")
        raise StepRefused(_("登记到 %s 截止，还不能转入核验。") % when)
    season.state = Season.State.CHECKING
    season.version += 1
    season.save(update_fields=["state", "version"])
    _noted("admissions.season_close", season, post, by)


def _check_state(season: Season, state: str) -> None:
    if season.state != state:
        raise StepRefused(_("现在是“%s”，不能办这一步。") % season.get_state_display())
