"""Sample data and sample forms of the style guide: every component with every state."""

import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml
from django import forms
from django.core.paginator import Paginator
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from xuezheng.kernel.cases.flows import Phase
from xuezheng.kernel.ui.forms import DateInput, NumberInput, SearchInput
from xuezheng.kernel.ui.lights import LIGHTS
from xuezheng.kernel.ui.uploads import UploadsField

_SAMPLES = Path(__file__).with_suffix(".yaml")
_CHOICES = [("a", _("一般")), ("b", _("较重")), ("c", _("重大"))]


class SampleForm(forms.Form):
    """One field of each sort."""

    place = forms.CharField(label=_("在哪里"), help_text=_("例如：教学楼三楼东侧走廊"))
    amount = forms.DecimalField(
        label=pgettext_lazy("sample", "数量"), widget=NumberInput, required=False
    )
    day = forms.DateField(label=pgettext_lazy("sample", "日期"), widget=DateInput, required=False)
    sort = forms.ChoiceField(label=_("类别"), choices=_CHOICES)
    grade = forms.ChoiceField(label=_("等级"), choices=_CHOICES, widget=forms.RadioSelect)
    parts = forms.MultipleChoiceField(
        label=_("涉及部位"), choices=_CHOICES, widget=forms.CheckboxSelectMultiple, required=False
    )
    words = forms.CharField(
        label=_("说明"),
        widget=forms.Textarea({"rows": 3}),
        help_text=_("写看到的情况，不写个人姓名。"),
    )
    photos = UploadsField(label=_("照片"), maximum=3, required=False)
    agreed = forms.BooleanField(label=_("眼下就有危险，已先停用或隔离"), required=False)


class SampleFilter(forms.Form):
    """Filters as a list has them."""

    sort = forms.ChoiceField(label=_("类别"), choices=[("", "—"), *_CHOICES], required=False)
    since = forms.DateField(label=_("开始日期"), widget=DateInput, required=False)
    q = forms.CharField(label=_("编号或事项"), widget=SearchInput, required=False)


def samples(query: dict[str, Any]) -> dict[str, Any]:
    """Context of ui/style_guide.html.  `query` is the request's GET, for the filter form."""
    data = yaml.safe_load(_SAMPLES.read_text(encoding="utf-8"))
    today = timezone.localdate()
    tasks = [_task(task, today) for task in data["tasks"]]
    bound = SampleForm({"place": "", "day": "2026-13-01", "grade": "b", "parts": ["a"]})
    bound.full_clean()
    return {
        **data,
        "tasks": tasks,
        "today": today,
        "total": sum(data["counts"].values()),
        "states": list(LIGHTS),
        "phases": [(phase, data["flow"]["states"].get(phase, phase)) for phase in Phase],
        "task_choices": [
            ("", _("全部"), sum(data["counts"].values())),
            *((state, look.word, data["counts"][state], state) for state, look in LIGHTS.items()),
        ],
        "page": Paginator(range(86), 10).get_page(query.get("page")),
        "zones": [
            zone
            | {
                "level": data["zone_levels"].get(zone["name"], "balanced"),
                "value": data["zone_values"].get(zone["name"], ""),
                "url": "#map",
            }
            for zone in data["map"]["zones"]
        ],
        "case": _case(data, today),
        "moves": [_move(move) for move in data["moves"]],
        "form": SampleForm(prefix="new"),
        "bound": bound,
        "filters": SampleFilter(query or None, auto_id="filter_%s"),
        "due_days": [today + dt.timedelta(days=n) for n in (-18, 0, 5, 76)],
        "kinds": ["info", "success", "warning", "error"],
        "tabs": [
            {"label": _("全部"), "url": "#tabs", "current": True, "count": 86},
            {"label": _("已逾期"), "url": "#tabs", "current": False, "count": 4},
            {"label": _("我的草稿"), "url": "#tabs", "current": False, "count": None},
        ],
    }


def _task(task: dict[str, Any], today: dt.date) -> dict[str, Any]:
    reported = task.get("reported")
    return task | {
        "url": "#tasks",
        "action_url": "#tasks",
        "today": today,
        "overridden": task.get("overridden", False),
        "cause": task.get("cause", ""),
        "action": task.get("action", ""),
        "due": today + dt.timedelta(days=task["due"]),
        "reported_on": None if reported is None else today + dt.timedelta(days=reported),
    }


def _case(data: dict[str, Any], today: dt.date) -> SimpleNamespace:
    """Something with the attributes of a Case and its flow, from no table."""
    flow = data["flow"]
    states = {key: SimpleNamespace(label=label) for key, label in flow["states"].items()}
    opening, *steps = (
        SimpleNamespace(key=key, label=label) for key, label in flow["steps"].items()
    )
    return SimpleNamespace(
        **data["case"],
        flow=SimpleNamespace(label=flow["label"], states=states, opening=opening, steps=steps),
        phase=Phase.ACTING,
        state_info=states["acting"],
        is_open=True,
        due=today + dt.timedelta(days=3),
        opened_at=timezone.now() - dt.timedelta(days=5),
        closed_at=None,
        urged_at=timezone.now() - dt.timedelta(days=1),
        get_absolute_url="#case",
    )


def _move(move: dict[str, Any]) -> SimpleNamespace:
    return SimpleNamespace(
        step=move["step"],
        source=move["source"],
        target=move["target"],
        at=timezone.now() + dt.timedelta(days=move["days"]),
        user=move["user"],
        post=_Post(move["post"], move["organisation"]),
        note=move["note"],
    )


class _Post:
    """A post as the timeline shows it."""

    def __init__(self, title: str, organisation: str):
        self.title = title
        self.organisation = organisation

    def __str__(self) -> str:
        return self.title
