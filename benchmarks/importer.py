"""The importer on a long plan, against reading the same characters one by one in Python."""

import time

from xuezheng.domains.workplan.parsing import parse_text

LIMIT_S = 2.0
MEASURE = "{n}.改善校舍条件。新建教学楼{n}栋，力争合格率达到9{d}%以上。（牵头单位：计财科；配合单位：安全科）\n"


def run() -> bool:
    """Print the time for 300 measures; whether it is under the limit."""
    text = "汐澜区教育局2026年工作要点\n一、保障\n" + "".join(
        MEASURE.format(n=n, d=n % 10) for n in range(1, 301)
    )
    began = time.perf_counter()
    plan = parse_text(text)
    taken = time.perf_counter() - began
    began = time.perf_counter()
    sum(1 for _char in text)
    floor = time.perf_counter() - began
    print(
        f"importer: {len(plan.commitments)} commitments, {len(plan.targets)} targets from"
        f" {len(text)} characters in {taken:.2f} s, limit {LIMIT_S} s ({taken / LIMIT_S:.2f});"
        f" {taken / floor:.0f} x one pass over the characters"
    )
    return taken < LIMIT_S
