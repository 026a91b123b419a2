"""What the pages of this storey share: sub-navigation, running a form, lists with export."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.audit.trail import record_read
from xuezheng.kernel.exchange.export import export_list
from xuezheng.kernel.exchange.table import Table
from xuezheng.kernel.ui.lists import export_url, list_context
from xuezheng.kernel.ui.steps import attempt
from xuezheng.registry import selectors
from xuezheng.registry.access import Permission
from xuezheng.registry.forms.people import SiteChoiceForm


def tabs(request: HttpRequest, current: str) -> list[dict[str, Any]]:
    """The sub-navigation: the sections whose page the reader may open."""
    sections = [
        ("home", _("概况"), "registry_home", (Permission.SITE_SEE,)),
        ("sites", _("学校"), "site_list", (Permission.SITE_SEE,)),
        ("classes", _("班级"), "school_class_list", (Permission.SITE_SEE,)),
        ("pupils", _("学生"), "pupil_list", (Permission.PUPIL_SEE,)),
        ("guardians", _("监护人"), "guardian_list", (Permission.PUPIL_SEE,)),
        ("staff", _("教职工"), "staff_list", (Permission.STAFF_SEE,)),
        ("addresses", _("住址"), "community_list", (Permission.ADDRESS_SEE,)),
        ("duplicates", _("疑似重复"), "duplicate_list", (Permission.MERGE,)),
        ("looked", _("谁看过谁"), "looked_search", (Permission.LOOKED_AT,)),
    ]
    return [
        {"label": label, "url": reverse(name), "current": section == current}
        for section, label, name, needed in sections
        if any(request.actor.can(permission) for permission in needed)
    ]


def page(
    request: HttpRequest, template: str, section: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """A page of a section, with the sub-navigation."""
    context = {"tabs": tabs(request, section), "section": section} | context
    return render(request, f"registry/{template}.html", context, status=status)


def form_page(
    request: HttpRequest,
    form: forms.Form,
    call: Callable[[], Any],
    *,
    section: str,
    title: str,
    done: str | Callable[[Any], str],
    message: str,
    back: str,
    submit: str = "",
    lead: str = "",
    template: str = "form",
    trail: list[tuple[str, str]] | None = None,
    **more: Any,
) -> HttpResponse:
    """Show a form; a valid one runs `call` (one service) and goes on to `done`.

    `done` is an address, or makes one of what the service returned.  What the service refuses stands
    on the form, with all that was typed, as a 422.
    """
    if request.method == "POST" and form.is_valid():
        made = attempt(form, call)
        if not form.errors:
            messages.success(request, message)
            return redirect(done(made) if callable(done) else done)
    context = {
        "form": form,
        "title": title,
        "lead": lead,
        "submit": submit or _("保存"),
        "cancel_url": back,
        "trail": trail or [],
        **more,
    }
    return page(request, template, section, context, 422 if form.errors else 200)


def list_page(
    request: HttpRequest,
    filterset: Any,
    *,
    section: str,
    template: str,
    title: str,
    table: Table,
    may_export: bool,
    may_reveal: bool = False,
    searched: str = "",
    prepare: Callable[[list], dict[str, Any]] | None = None,
    **more: Any,
) -> HttpResponse:
    """A list with filters, paging and export of what is filtered.

    `prepare` gets the rows of the page and returns more context (figures beside the rows, in a
    constant number of queries).  POST is only for an export of whole numbers.  `searched` names the kind of person whose lookup by words is noted
    in the trail; the words are not kept.
    """
    if request.GET.get("export") or request.method == "POST":
        if not may_export:
            raise PermissionDenied
        return export_list(request, table, filterset.qs, may_reveal=may_reveal)
    context = list_context(request, filterset, title=title)
    context["export_url"] = export_url(request) if may_export else ""
    context["may_reveal"] = may_export and may_reveal
    if searched and request.GET.get("w"):
        found = context["page"].paginator.count
        record_read(request, f"{searched}.search", object_type=searched, detail={"found": found})
    if prepare:
        rows = list(context["page"].object_list)
        context["page"].object_list = rows
        context |= prepare(rows)
    return page(request, template, section, context | more)


def chosen_site(
    request: HttpRequest, permission: str, *, section: str, title: str, back: str
) -> Organisation | HttpResponse:
    """The school of a form that depends on one: the only one there is, or that of `?site=`.

    Else the page that asks for it.
    """
    sites = selectors.open_sites(request.actor, permission)
    wanted = request.GET.get("site", "") or request.POST.get("organisation", "")
    if wanted.isdigit():
        found = sites.filter(pk=int(wanted)).first()
        if found:
            return found
    only = list(sites[:2])
    if len(only) == 1:
        return only[0]
    context = {"form": SiteChoiceForm(sites=sites), "title": title, "cancel_url": back}
    return page(request, "choose_site", section, context)
