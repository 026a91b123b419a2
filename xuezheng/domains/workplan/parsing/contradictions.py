"""What the figures of one plan say together, and their wording in the source."""

from xuezheng.domains.workplan.parsing.model import Doubt, Figure, Plan
from xuezheng.domains.workplan.parsing.verdicts import MAKES

#: A subject that comes back more often is a word such as 学校 and no single figure.
MOST_COMPARED = 20


def contradictions(targets: list[Figure], text: str) -> list[Doubt]:
    """A doubt for every target whose subject and verb stood before with another value.

    Figures for different dates do not contradict each other.
    """
    earlier: dict[tuple[str, ...], list[Figure]] = {}
    doubts = []
    for figure in targets:
        if len(figure.subject) < 4:
            continue
        sign = figure.comparator if figure.comparator in "+-" else ""
        key = (figure.subject, figure.unit, sign, _verb(figure, text))
        for before in earlier.setdefault(key, []):
            dated = before.period and figure.period and before.period != figure.period
            if before.value != figure.value and not dated:
                message = f"“{figure.subject}”前后不一致：前文“{before.text}”，此处“{figure.text}”"
                doubts.append(
                    Doubt(figure.section, "contradiction", message, figure.start, figure.end)
                )
                break
        if len(earlier[key]) < MOST_COMPARED:
            earlier[key].append(figure)
    return doubts


def _verb(figure: Figure, text: str) -> str:
    """新建 before 新建幼儿园2所: building two and repairing three is no contradiction."""
    if figure.unit in {"%", "百分点", "‰"}:
        return ""
    found = list(MAKES.finditer(text, max(0, figure.start - 16), figure.start))
    return found[-1].group() if found else ""


def keep_wording(plan: Plan) -> None:
    """Targets were read in the unified text; their wording is that of the source (０％, not 0%)."""
    for figure in plan.targets:
        figure.text = plan.text[figure.start : figure.end]
