"""The pages that leaders and offices open most, on the demo district, against 200 ms at the server.

The server is granian as in service, one client at a time, over a real socket with a real session.
"""

from benchmarks.serving import Client, measure, serving, session_of

LIMIT_MS = 200
ROUNDS = 60


def run() -> bool:
    """Print p50 and p95 of each page beside the limit; whether all hold."""
    from xuezheng.domains.workplan.models import Commitment
    from xuezheng.kernel.indicators.models import Reading

    row = Commitment.objects.get(code="2.2-06")
    readings = Reading.objects.filter(organisation__code="XL")
    hazards = readings.filter(indicator="hazard_rectified_in_time").latest("as_of")
    classes = readings.filter(indicator="classes_within_limit").latest("as_of")
    pages = {
        "board": "/board/",
        "list of commitments": f"/plans/{row.plan_id}/",
        "commitment": row.get_absolute_url(),
        "proof (hazards behind a figure)": f"/readings/{hazards.id}/",
        "proof (classes behind a figure)": f"/readings/{classes.id}/",
        "list of 2,900 hazards": "/hazards/",
        "inbox": "/inbox/",
        "indicator": "/indicators/hazard_rectified_in_time/",
    }
    print(f"pages, demo district, one client, {ROUNDS} rounds, limit {LIMIT_MS} ms at p95")
    with serving() as port:
        return measure(Client(port, session_of("director")), pages, ROUNDS, LIMIT_MS)
