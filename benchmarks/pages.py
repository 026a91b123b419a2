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


def admissions() -> bool:
    """The same for the pages of admissions, on the demo's seasons of 2,500 to 3,000 children."""
    from django.urls import reverse

    from xuezheng.domains.admissions.models import Application, Season
    from xuezheng.kernel.access.models import Post

    season = Season.objects.filter(state="checking").first()
    row = (
        Application.objects.filter(season=season, case__organisation__kind="junior")
        .select_related("case__organisation")
        .order_by("case_id")
        .first()
    )
    placed = (
        Application.objects.filter(season__state="published", applicant__isnull=False)
        .select_related("case", "applicant")
        .order_by("case_id")
        .first()
    )
    heads = Post.objects.filter(organisation=row.case.organisation, role="site_head")
    review = reverse("application_detail", args=[row.case.number])
    of_season = {
        "season": "season_detail",
        "areas": "zone_list",
        "map of areas": "zone_map",
        "forecast": "season_forecast",
        "roll of 2,900": "roll",
        "draw and allocation": "allocation_home",
    }
    visitors = {
        "admissions": {
            "registrations of all schools": reverse("application_list"),
            "their twentieth page": f"{reverse('application_list')}?page=20",
            "review": review,
            "follow-ups": reverse("follow_up_list"),
            **{name: reverse(view, args=[season.pk]) for name, view in of_season.items()},
        },
        heads.get().user.username: {
            "school: registrations": reverse("application_list"),
            "school: review": review,
            "school: its new children": reverse("school_intake"),
        },
        placed.applicant.username: {
            "family: its registrations": reverse("my_admissions"),
            "family: status": reverse("my_application", args=[placed.case.number]),
        },
    }
    print(f"pages of admissions, one client, {ROUNDS} rounds, limit {LIMIT_MS} ms at p95")
    with serving() as port:
        good = [
            measure(Client(port, session_of(who)), pages, ROUNDS, LIMIT_MS)
            for who, pages in visitors.items()
        ]
        good.append(measure(Client(port), {"public: enrol": "/enrol/"}, ROUNDS, LIMIT_MS))
        # Looks at every dwelling of the district, on request of one officer now and then.
        survey = {"survey of areas": reverse("zone_survey", args=[season.pk])}
        officer = Client(port, session_of("admissions"))
        good.append(measure(officer, survey, ROUNDS, LIMIT_MS))
    return all(good)
