"""Pages on which the registrar decides about rows that may be one person."""

from django.urls import reverse

from tests.people import People
from xuezheng.registry.models import DuplicatePair, Guardianship
from xuezheng.registry.services.duplicates import find_duplicates
from xuezheng.registry.tests.test_pages import client_of

pytest_plugins = ["tests.people"]


def test_registrar_decides_on_a_pair(people: People) -> None:
    client = client_of(people, "registrar")
    assert client.post(reverse("duplicate_find")).status_code == 302
    pair = DuplicatePair.objects.get(kind="pupil")
    url = reverse("duplicate_detail", args=[pair.id])
    page = client.get(url)
    assert page.status_code == 200
    assert people.pupils["ming"].id_number not in page.content.decode()
    assert client.post(url, {"keep": "left", "reason": ""}).status_code == 422
    assert client.post(url, {"keep": "left", "reason": "同一学生"}).status_code == 302
    assert client.get(reverse("merge_list")).context["page"].paginator.count == 1
    other = DuplicatePair.objects.get(kind="guardian")
    client.post(reverse("duplicate_different", args=[other.id]))
    other.refresh_from_db()
    assert other.state == "different"
    find_duplicates(by=people.district.actor("registrar"))
    assert not DuplicatePair.objects.filter(state="open").exists()


def test_a_pair_of_guardians_shows_whose_they_are(people: People) -> None:
    client = client_of(people, "registrar")
    client.post(reverse("duplicate_find"))
    pair = DuplicatePair.objects.get(kind="guardian")
    first, second = (people.guardians[key] for key in ("father", "father2"))
    if pair.left != first.pk:
        first, second = second, first
    page = client.get(reverse("duplicate_detail", args=[pair.id]))
    left, right = page.context["wards"]
    assert {held.guardian_id for held in left} == {first.pk}
    assert {held.guardian_id for held in right} == {second.pk}
    text = page.content.decode()
    for child in ("ming", "hua", "again"):
        pupil = people.pupils[child]
        assert f"{pupil.name} {pupil.organisation} {pupil.school_class}" in text
        assert pupil.id_number not in text
    # One who is his guardian no more is not named.
    gone = Guardianship.objects.get(pupil=people.pupils["hua"], guardian=people.guardians["father"])
    gone.main, gone.valid_to = False, people.today
    gone.save()
    text = client.get(reverse("duplicate_list")).content.decode()
    assert people.pupils["hua"].name not in text
    assert people.pupils["ming"].name in text
