"""The form of a ladder: every tier, condition and order as fields, without a script.

Each button sends the whole form: it adds, moves or removes something, and shows the form again; only
`save` writes.  What a browser sends becomes the ladder's JSON here and nowhere else.
"""

from collections.abc import Mapping
from typing import Any

from django.http import QueryDict

from xuezheng.domains.admissions.rules.ladder import CONDITIONS, ORDERS
from xuezheng.domains.admissions.services.ladder_words import (
    CONDITION_WORDS,
    ORDER_WORDS,
    PARAMETER_WORDS,
    choices_of,
    condition_words,
    default_of,
    parameter_of,
)

#: More than any ladder in practice has.
MOST_TIERS, MOST_CONDITIONS, MOST_ORDERS = 30, 20, 4


def posted_ladder(post: QueryDict) -> dict[str, Any]:
    """The ladder that the form shows, as JSON; what cannot be a number stays text, for the check."""
    tiers = []
    for at in range(min(_number(post, "tiers"), MOST_TIERS)):
        conditions = []
        for each in range(min(_number(post, f"t{at}-conditions"), MOST_CONDITIONS)):
            prefix = f"t{at}-c{each}"
            name = post.get(f"{prefix}-is", "")
            if name not in CONDITIONS:
                continue
            condition: dict[str, Any] = {"is": name}
            if parameter := parameter_of(name):
                condition[parameter] = _value(post, f"{prefix}-value", parameter)
            conditions.append(condition)
        orders = [post.get(f"t{at}-o{n}", "") for n in range(MOST_ORDERS)]
        tiers.append(
            {
                "code": post.get(f"t{at}-code", "").strip()[:12],
                "label": post.get(f"t{at}-label", "").strip()[:60],
                "all": conditions,
                "order": [name for name in orders if name in ORDERS],
            }
        )
    return {"tiers": tiers}


def _number(post: QueryDict, name: str) -> int:
    text = post.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0


def _value(post: QueryDict, name: str, parameter: str) -> Any:
    if parameter in {"whose", "kinds"}:
        return [code for code in post.getlist(name) if code in choices_of(parameter)]
    if parameter == "lists":
        others = post.get(f"{name}-other", "").replace("，", ",").split(",")
        codes = [*post.getlist(name), *(text.strip()[:20] for text in others)]
        return list(dict.fromkeys(code for code in codes if code))
    text = post.get(name, "").strip()
    if parameter in {"percent", "points"} and text.isascii() and text.isdigit():
        return int(text[:6])
    return text[:40]


def pressed(data: dict[str, Any], post: QueryDict) -> dict[str, Any]:
    """The ladder after a button that changes its shape: `up-2`, `cut-1-0`, `add`, `more-3` ..."""
    verb, *numbers = post.get("do", "").split("-")
    at = [int(n) if n.isascii() and n.isdigit() else -1 for n in numbers]
    tiers = data["tiers"]
    if verb == "add" and len(tiers) < MOST_TIERS:
        tiers.append({"code": "", "label": "", "all": [], "order": []})
    if not at or not 0 <= at[0] < len(tiers):
        return data
    tier = tiers[at[0]]
    if verb == "remove":
        tiers.pop(at[0])
    elif verb == "up" and at[0]:
        tiers.insert(at[0] - 1, tiers.pop(at[0]))
    elif verb == "down":
        tiers.insert(at[0] + 1, tiers.pop(at[0]))
    elif verb == "more":
        name = post.get(f"t{at[0]}-new", "")
        if name in CONDITIONS and len(tier["all"]) < MOST_CONDITIONS:
            parameter = parameter_of(name)
            tier["all"].append(
                {"is": name} | ({parameter: default_of(parameter)} if parameter else {})
            )
    elif verb == "cut" and len(at) > 1 and 0 <= at[1] < len(tier["all"]):
        tier["all"].pop(at[1])
    return data


def ladder_view(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the template shows of each tier: fields, choices, words."""
    shown = []
    for at, tier in enumerate(data.get("tiers", [])):
        order = [*tier.get("order", []), *[""] * MOST_ORDERS][:MOST_ORDERS]
        shown.append(
            {
                "at": at,
                "number": at + 1,
                "code": tier.get("code", ""),
                "label": tier.get("label", ""),
                "conditions": [
                    _condition(at, n, condition) for n, condition in enumerate(tier.get("all", []))
                ],
                "orders": [
                    {
                        "name": f"t{at}-o{n}",
                        "number": n + 1,
                        "choices": [(k, v, k == value) for k, v in ORDER_WORDS.items()],
                    }
                    for n, value in enumerate(order)
                ],
            }
        )
    return shown


def _condition(at: int, n: int, condition: Mapping[str, Any]) -> dict[str, Any]:
    parameter = parameter_of(condition["is"])
    value = condition.get(parameter, "") if parameter else ""
    choices = choices_of(parameter)
    held = value if isinstance(value, list) else []
    return {
        "at": n,
        "prefix": f"t{at}-c{n}",
        "is": condition["is"],
        "words": condition_words(condition) if not parameter or value else _bare(condition["is"]),
        "parameter": parameter,
        "parameter_words": PARAMETER_WORDS.get(parameter, ""),
        "value": value,
        "choices": [(code, label, code in held) for code, label in choices.items()],
        "others": ", ".join(code for code in held if code not in choices),
    }


def _bare(name: str) -> str:
    return str(CONDITION_WORDS[name]).split("%", maxsplit=1)[0].strip()


def condition_choices() -> list[tuple[str, str]]:
    """Name -> words of every condition, without its parameter, for the list to add from."""
    return [(name, _bare(name)) for name in CONDITION_WORDS]
