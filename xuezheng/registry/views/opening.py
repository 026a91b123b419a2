"""The first month: what is loaded, names that match nothing, systems by school."""

import difflib
import hashlib
from typing import Any

from django import forms
from django.apps import apps
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_str
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.access.models import Organisation, User
from xuezheng.kernel.exchange.models import Batch, State
from xuezheng.kernel.ui.forms import DateInput
from xuezheng.registry import exchange, selectors
from xuezheng.registry.access import Permission
from xuezheng.registry.exchange.common import name_key
from xuezheng.registry.models import (
    Community,
    Dwelling,
    Guardian,
    Pupil,
    SchoolClass,
    SiteAlias,
    SiteProfile,
    StaffMember,
    SystemSwitch,
)
from xuezheng.registry.services import opening as services
from xuezheng.registry.switches import PREFIX

NEAR = 0.5


@require_GET
@requires(Permission.OPENING)
def opening(request: HttpRequest) -> HttpResponse:
    """The checklist: for each list how many rows, how many of them as opening balance, and when."""
    last = dict(
        Batch.objects.visible_to(request.actor)
        .filter(state=State.APPLIED)
        .values_list("table")
        .annotate(Max("applied_at"))
    )
    actor = request.actor
    pupils = Pupil.objects.visible_to(actor).live()
    staff = StaffMember.objects.visible_to(actor).live()
    guardians = Guardian.objects.visible_to(actor).live()
    rows: list[tuple[Any, QuerySet, bool]] = [
        (exchange.SITES, SiteProfile.objects.all(), True),
        (exchange.CLASSES, SchoolClass.objects.visible_to(actor), False),
        (exchange.PUPILS, pupils, True),
        (exchange.GUARDIANS, guardians, True),
        (exchange.STAFF, staff, True),
        (exchange.COMMUNITIES, Community.objects.all(), False),
        (exchange.DWELLINGS, Dwelling.objects.all(), False),
        (exchange.ACCOUNTS, User.objects.filter(is_active=True), False),
    ]
    steps = [
        {
            "table": table,
            "count": held.count(),
            "opening": held.filter(opening_balance=True).count() if marked else None,
            "last": last.get(table.key),
            "may": actor.can(table.permission),
            "marked": marked,
        }
        for table, held, marked in rows
    ]
    year = selectors.school_year_of(timezone.localdate())
    years = selectors.school_years(actor)
    present = years.filter(starts_on__year=year).first()
    context = {
        "title": _("上线第一个月"),
        "steps": steps,
        "years": years.count(),
        "year_ready": present is not None and len(present.terms.all()) == 2,
        "unmatched": len(_unmatched(request)),
        "switched": SystemSwitch.objects.count(),
    }
    return render(request, "registry/opening.html", context)


# -- names ------------------------------------------------------------------------------------------
def _waiting(request: HttpRequest) -> QuerySet[Batch]:
    """Batches with names that stand for no unit."""
    rows = Batch.objects.visible_to(request.actor).filter(state=State.READY, purged_at=None)
    return rows.exclude(unmatched={})


def _unmatched(request: HttpRequest) -> dict[str, int]:
    """Names that stand for no unit in batches that wait, with the number of rows."""
    wanted = request.GET.get("batch", "")
    names: dict[str, int] = {}
    for batch in _waiting(request):
        if wanted and str(batch.pk) != wanted:
            continue
        for name, count in batch.unmatched.items():
            if name:
                names[name] = names.get(name, 0) + count
    known = set(SiteAlias.objects.filter(name__in=names).values_list("name", flat=True))
    return {name: count for name, count in sorted(names.items()) if name not in known}


class MatchForm(forms.Form):
    """For each name the unit that it means; the likeliest is proposed, none is taken for granted."""

    def __init__(self, *args: Any, names: dict[str, int], sites: list[Organisation], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.names = {self.key(name): name for name in names}
        self.sites = {str(site.id): site for site in sites}
        choices = [("", _("先不指定")), *((str(site.id), str(site)) for site in sites)]
        for key, name in self.names.items():
            self.fields[key] = forms.ChoiceField(
                label=name,
                choices=choices,
                required=False,
                initial=suggestion(name, sites),
                help_text=ngettext("%d 行", "%d 行", names[name]) % names[name],
            )

    @staticmethod
    def key(name: str) -> str:
        """A field's name made of the unit's."""
        return "name_" + hashlib.sha256(name.encode()).hexdigest()[:12]

    def chosen(self) -> dict[str, Organisation]:
        """Name -> unit, for those that were chosen."""
        return {
            name: self.sites[self.cleaned_data[key]]
            for key, name in self.names.items()
            if self.cleaned_data.get(key)
        }


def suggestion(name: str, sites: list[Organisation]) -> str:
    """Id of the site whose name is most like it, when it is like at all; else empty."""
    best, likeness = "", NEAR
    matcher = difflib.SequenceMatcher(b=name_key(name), autojunk=False)
    for site in sites:
        for other in {site.name, site.short_name} - {""}:
            matcher.set_seq1(name_key(other))
            if matcher.ratio() > likeness:
                best, likeness = str(site.id), matcher.ratio()
    return best


@require_http_methods(["GET", "POST"])
@requires(Permission.OPENING)
def opening_match(request: HttpRequest) -> HttpResponse:
    """Names that match no unit: each is matched once, and remembered."""
    sites = list(selectors.sites(request.actor))
    names = _unmatched(request)
    form = MatchForm(request.POST or None, names=names, sites=sites)
    if request.method == "POST" and form.is_valid():
        count = services.match_names(form.chosen(), by=request.actor)
        messages.success(
            request,
            ngettext(
                "已指定 %d 个名称；回到导入批次，点“重新比对”。",
                "已指定 %d 个名称；回到导入批次，点“重新比对”。",
                count,
            )
            % count,
        )
        wanted = request.GET.get("batch", "")
        batch = next((row for row in _waiting(request) if str(row.pk) == wanted), None)
        return redirect(batch or reverse("opening_match"))
    context = {
        "form": form,
        "title": _("对不上的名称"),
        "submit": _("保存"),
        "cancel_url": reverse("opening"),
        "aliases": SiteAlias.objects.select_related("organisation"),
        "names": names,
    }
    return render(request, "registry/opening_match.html", context)


@require_POST
@requires(Permission.OPENING)
def opening_unmatch(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a matched name back."""
    alias = get_object_or_404(SiteAlias.objects.select_related("organisation"), pk=pk)
    services.forget_name(alias, by=request.actor)
    messages.success(request, _("已取消。"))
    return redirect("opening_match")


# -- switches ---------------------------------------------------------------------------------------
def systems() -> list[tuple[str, str]]:
    """(label, words) of every system that can be switched."""
    return [
        (config.label, force_str(config.verbose_name))
        for config in apps.get_app_configs()
        if config.name.startswith(PREFIX)
    ]


class SwitchForm(forms.Form):
    """Which schools, on or off, from when."""

    units = forms.ModelMultipleChoiceField(Organisation.objects.none())
    on = forms.ChoiceField(choices=[("on", gettext_lazy("启用")), ("off", gettext_lazy("停用"))])
    day = forms.DateField(label=gettext_lazy("自哪一天起"), widget=DateInput)

    def __init__(self, *args: Any, sites: QuerySet, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["units"].queryset = sites


@require_http_methods(["GET", "POST"])
@requires(Permission.OPENING)
def opening_switches(request: HttpRequest) -> HttpResponse:
    """Which schools work with a system; a school without an entry does."""
    known = dict(systems())
    system = request.GET.get("system", "")
    system = system if system in known else next(iter(known))
    sites = selectors.open_sites(request.actor, Permission.OPENING)
    form = SwitchForm(request.POST or None, sites=sites, initial={"day": timezone.localdate()})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            count = services.switch_system(
                system,
                units=data["units"],
                on=data["on"] == "on",
                day=data["day"],
                by=request.actor,
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(
                request, ngettext("已设置 %d 所学校。", "已设置 %d 所学校。", count) % count
            )
            return redirect(f"{reverse('opening_switches')}?system={system}")
    today = timezone.localdate()
    held = {row.organisation_id: row for row in SystemSwitch.objects.filter(system=system)}
    context = {
        "title": _("按学校启用系统"),
        "form": form,
        "system": system,
        "tabs": [
            {"label": label, "url": f"?system={key}", "current": key == system, "count": None}
            for key, label in known.items()
        ],
        "rows": [
            {
                "site": site,
                "switch": held.get(site.id),
                "on": site.id not in held or held[site.id].is_on(today),
            }
            for site in sites
        ],
    }
    status = 422 if form.errors else 200
    return render(request, "registry/opening_switches.html", context, status=status)
