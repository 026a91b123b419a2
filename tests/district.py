"""A tiny district for tests: one bureau, two offices, two towns, three sites, one person per role."""

import datetime as dt
import io
from dataclasses import dataclass

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from xuezheng.kernel.access.actors import StaffActor
from xuezheng.kernel.access.models import EdgeKind, Organisation, OrganisationEdge, Post, User
from xuezheng.registry import roles
from xuezheng.registry.organisations import OrganisationKind

SINCE = dt.date(2020, 1, 1)


@dataclass
class District:
    """Organisations by code, and actors made on demand."""

    orgs: dict[str, Organisation]
    users: dict[str, User]

    def actor(self, username: str) -> StaffActor:
        """A fresh actor, as a request makes one."""
        return StaffActor(self.users[username])

    def hold(self, username: str, role: str, org: str) -> StaffActor:
        """Give a (perhaps new) user a post; returns the actor."""
        user = self.users.get(username)
        if user is None:
            user = User.objects.create_user(username, "secret-word-1", name=f"人{len(self.users)}")
            self.users[username] = user
        Post.objects.create(
            user=user, organisation=self.orgs[org], role=role, title=role, valid_from=SINCE
        )
        return StaffActor(user)


ORGANISATIONS = [
    # code, name, kind, authority, town
    ("B", "屿州区教育局", OrganisationKind.BUREAU, None, None),
    ("B-OFF", "办公室", OrganisationKind.OFFICE, "B", None),
    ("B-SAFE", "安全管理科", OrganisationKind.OFFICE, "B", None),
    ("B-BASE", "基础教育科", OrganisationKind.OFFICE, "B", None),
    ("T1", "东澳镇", OrganisationKind.TOWN, "B", None),
    ("T2", "西澳镇", OrganisationKind.TOWN, "B", None),
    ("S1", "东澳小学", OrganisationKind.PRIMARY, "B", "T1"),
    ("S2", "西澳初中", OrganisationKind.JUNIOR, "B", "T2"),
    ("K1", "东澳幼儿园", OrganisationKind.KINDERGARTEN, "B", "T1"),
]
POSTS = [
    ("director", roles.DIRECTOR, "B"),
    ("deputy", roles.DEPUTY, "B"),
    ("plan", roles.PLAN_OFFICER, "B-OFF"),
    ("safety", roles.SAFETY_OFFICER, "B-SAFE"),
    ("safety_head", roles.SAFETY_HEAD, "B-SAFE"),
    ("base", roles.OFFICE_HEAD, "B-BASE"),
    ("safety_office", roles.OFFICE_HEAD, "B-SAFE"),
    ("inspector", roles.INSPECTOR, "B"),
    ("town1", roles.TOWN_OFFICER, "T1"),
    ("head1", roles.SITE_HEAD, "S1"),
    ("sec1", roles.SITE_SECRETARY, "S1"),
    ("head2", roles.SITE_HEAD, "S2"),
    ("teacher1", roles.TEACHER, "S1"),
    ("registrar", roles.REGISTRAR, "B"),
    ("statistician", roles.STATISTICIAN, "B-OFF"),
    ("province", roles.PROVINCE_OFFICER, "B"),
    ("auditor", roles.AUDITOR, "B"),
    ("operator", roles.OPERATOR, "B"),
    ("security", roles.SECURITY_OFFICER, "B"),
]


@pytest.fixture
def district(db) -> District:
    """The tiny district."""
    return make_district()


def make_district() -> District:
    """Write the tiny district; for tests with real transactions, which cannot take the fixture."""
    orgs: dict[str, Organisation] = {}
    for order, (code, name, kind, authority, town) in enumerate(ORGANISATIONS):
        orgs[code] = Organisation.objects.create(
            code=code, name=name, name_en=f"Org {code}", kind=kind, order=order
        )
        for parent, edge in ((authority, EdgeKind.AUTHORITY), (town, EdgeKind.AREA)):
            if parent:
                OrganisationEdge.objects.create(
                    parent=orgs[parent], child=orgs[code], kind=edge, valid_from=SINCE
                )
    made = District(orgs, {})
    for username, role, org in POSTS:
        made.hold(username, role, org)
    return made


def photo(name: str = "photo.jpg", colour: str = "red") -> SimpleUploadedFile:
    """A small real JPEG with EXIF, as a phone sends it."""
    out = io.BytesIO()
    image = Image.new("RGB", (64, 48), colour)
    exif = image.getexif()
    exif[0x010F] = "Maker"
    image.save(out, "JPEG", exif=exif)
    return SimpleUploadedFile(name, out.getvalue(), content_type="image/jpeg")


@pytest.fixture
def files_dir(settings, tmp_path) -> None:
    """Uploads and snapshots of a test go to its own folder."""
    settings.FILES_DIR = tmp_path / "files"
    settings.SNAPSHOTS_DIR = tmp_path / "snapshots"
    settings.AUDIT_HEAD_FILE = tmp_path / "heads.txt"
