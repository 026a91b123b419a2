"""Pages of duplicates: pairs, one pair side by side, merges and their undoing."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xuezheng.kernel.access.guards import requires
from xuezheng.kernel.audit.trail import record_read
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.ui.lists import list_context
from xuezheng.kernel.ui.steps import attempt
from xuezheng.registry.access import Permission
from xuezheng.registry.codes import masked, masked_phone
from xuezheng.registry.filters import MergeFilter, PairFilter
from xuezheng.registry.forms.base import ReasonForm
from xuezheng.registry.lists import word
from xuezheng.registry.models import DuplicatePair, Guardianship, PersonMerge, Pupil
from xuezheng.registry.models.merging import PersonKind
from xuezheng.registry.services import duplicates, merging
from xuezheng.registry.services.common import allowed
from xuezheng.registry.views.common import form_page, page
from xuezheng.registry.words import SIGNS

LISTED = {"ethnicity", "nationality", "boarding", "education"}


@require_GET
@requires(Permission.MERGE)
def duplicate_list(request: HttpRequest) -> HttpResponse:
    """Pairs, the most alike first."""
    rows = DuplicatePair.objects.order_by("-score", "id")
    filterset = PairFilter(request.GET, queryset=rows, request=request)
    context = list_context(request, filterset, title=_("疑似重复"))
    shown = list(context["page"].object_list)
    people = _people(shown)
    wards = _wards(request, shown)
    for pair in shown:
        pair.one, pair.other = people.get(pair.left), people.get(pair.right)
        pair.wards = (wards.get(pair.left, []), wards.get(pair.right, []))
        pair.sign_words = [str(SIGNS.get(sign, sign)) for sign in pair.signs]
    context["page"].object_list = shown
    context |= {
        "chips": [
            ("", _("待判断")),
            *((state.value, state.label) for state in list(DuplicatePair.State)[1:]),
        ]
    }
    return page(request, "duplicate_list", "duplicates", context)


def _people(pairs: list[DuplicatePair]) -> dict[uuid.UUID, Any]:
    """The rows of the pairs by key, with their place (one query for each kind)."""
    found: dict[uuid.UUID, Any] = {}
    for kind, model in duplicates.MODELS.items():
        keys = [key for pair in pairs if pair.kind == kind for key in (pair.left, pair.right)]
        if keys:
            rows = model.objects.filter(pk__in=keys)
            if kind != PersonKind.GUARDIAN:
                rows = rows.select_related("organisation")
            found |= {row.pk: row for row in rows}
    return found


def _wards(request: HttpRequest, pairs: list[DuplicatePair]) -> dict[uuid.UUID, list[Guardianship]]:
    """Whose guardians the guardians of the pairs are now: children in reach (one query)."""
    keys = {
        key for pair in pairs if pair.kind == PersonKind.GUARDIAN for key in (pair.left, pair.right)
    }
    found: dict[uuid.UUID, list[Guardianship]] = {}
    if keys:
        held = Guardianship.objects.filter(
            guardian__in=keys,
            valid_to__isnull=True,
            pupil__in=Pupil.objects.visible_to(request.actor).live(),
        )
        held = held.select_related("pupil__organisation", "pupil__school_class")
        for row in held.order_by("pupil__born_on", "id"):
            found.setdefault(row.guardian_id, []).append(row)
    return found


@require_POST
@requires(Permission.MERGE)
def duplicate_find(request: HttpRequest) -> HttpResponse:
    """Search now."""
    found = duplicates.find_duplicates(by=request.actor)
    messages.success(
        request, _("查找完毕：待判断 %(pairs)d 对，其中新发现 %(new)d 对。") % vars(found)
    )
    return redirect("duplicate_list")


def _shown(kind: str, row: Any, name: str) -> str:
    """A field as it is compared: numbers masked, codes in words."""
    value = getattr(row, name)
    if value in (None, ""):
        return "–"
    if name in ("id_number", "student_number"):
        return masked(value)
    if name == "phone":
        return masked_phone(value)
    if name in LISTED:
        return word(name, value)
    show = getattr(row, f"get_{name}_display", None)
    return str(show() if show else value)


@require_http_methods(["GET", "POST"])
@requires(Permission.MERGE)
def duplicate_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A pair side by side; the registrar says which row stays and whose value is the right one."""
    pair = get_object_or_404(DuplicatePair, pk=pk)
    people = _people([pair])
    left, right = people.get(pair.left), people.get(pair.right)
    if left is None or right is None:
        raise Http404
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        keep = pair.right if request.POST.get("keep") == "right" else pair.left
        other = "left" if keep == pair.right else "right"
        chosen = [
            name
            for name in (*merging.CHOICES[pair.kind], merging.PLACE)
            if request.POST.get(f"from_{name}") == other
        ]
        made = attempt(
            form,
            lambda: merging.merge(
                pair,
                keep=keep,
                other_fields=chosen,
                reason=form.cleaned_data["reason"],
                by=request.actor,
            ),
        )
        if made:
            messages.success(request, _("已合并。可在“合并记录”里撤销。"))
            return redirect("merge_list")
    for row in (left, right):
        record_read(
            request,
            f"{pair.kind}.compare",
            post=allowed(request.actor, Permission.MERGE, None),
            object_type=pair.kind,
            object_id=row.pk,
        )
    model = duplicates.MODELS[pair.kind]
    rows = []
    for name in merging.CHOICES[pair.kind]:
        one, other = _shown(pair.kind, left, name), _shown(pair.kind, right, name)
        differs = getattr(left, name) != getattr(right, name)
        # A value beats none.
        better = "right" if one == "–" and other != "–" else "left"
        rows.append(
            {
                "name": name,
                "label": model._meta.get_field(name).verbose_name,
                "left": one,
                "right": other,
                "differs": differs,
                "chosen": request.POST.get(f"from_{name}", better),
            }
        )
    wards = _wards(request, [pair])
    context = {
        "wards": (wards.get(pair.left, []), wards.get(pair.right, [])),
        "title": _("比对：%s") % PersonKind(pair.kind).label,
        "pair": pair,
        "is_open": pair.state == DuplicatePair.State.OPEN,
        "left": left,
        "right": right,
        "has_place": pair.kind != PersonKind.GUARDIAN,
        "place": merging.PLACE,
        "rows": rows,
        "same": sum(1 for row in rows if not row["differs"]),
        "sign_words": [str(SIGNS.get(sign, sign)) for sign in pair.signs],
        "keep": request.POST.get("keep", "left"),
        "form": form,
    }
    return page(request, "duplicate_detail", "duplicates", context, 422 if form.errors else 200)


@require_POST
@requires(Permission.MERGE)
def duplicate_different(request: HttpRequest, pk: int) -> HttpResponse:
    """Decide that a pair are two persons."""
    pair = get_object_or_404(DuplicatePair, pk=pk)
    try:
        duplicates.keep_apart(pair, by=request.actor)
    except StepRefused as refused:
        messages.warning(request, str(refused))
    else:
        messages.success(request, _("已记为不是同一人，以后不再列出。"))
    return redirect("duplicate_list")


@require_GET
@requires(Permission.MERGE)
def merge_list(request: HttpRequest) -> HttpResponse:
    """What was merged, newest first."""
    rows = PersonMerge.objects.select_related("by").order_by("-at", "-id")
    filterset = MergeFilter(request.GET, queryset=rows, request=request)
    context = list_context(request, filterset, title=_("合并记录"))
    shown = list(context["page"].object_list)
    for kind, model in duplicates.MODELS.items():
        keys = [row.kept for row in shown if row.kind == kind]
        names = dict(model.objects.filter(pk__in=keys).values_list("pk", "name"))
        for row in shown:
            if row.kind == kind:
                row.name = names.get(row.kept, "")
    context["page"].object_list = shown
    return page(request, "merge_list", "duplicates", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.MERGE)
def merge_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a merge back."""
    made = get_object_or_404(PersonMerge, pk=pk)
    form = ReasonForm(request.POST or None)
    back = reverse("merge_list")
    return form_page(
        request,
        form,
        lambda: merging.undo_merge(made, reason=form.cleaned_data["reason"], by=request.actor),
        section="duplicates",
        title=_("撤销合并"),
        lead=_("两条记录恢复成合并之前的样子，这一对重新等待判断。"),
        submit=_("撤销合并"),
        done=back,
        message=_("已撤销合并。"),
        back=back,
        trail=[(reverse("duplicate_list"), _("疑似重复")), (back, _("合并记录"))],
    )
