"""Reading order: seasons.py, zones.py, roll.py, applications.py, results.py, classing.py."""

from xuezheng.domains.admissions.models.applications import (
    Application,
    Check,
    Choice,
    Draft,
    Paper,
    PaperKind,
    Party,
    Rating,
    Standing,
)
from xuezheng.domains.admissions.models.classing import ClassDraw
from xuezheng.domains.admissions.models.results import (
    Allocation,
    Draw,
    DrawStep,
    Freeze,
    Leaf,
    Offer,
    PathRequest,
    Review,
)
from xuezheng.domains.admissions.models.roll import FollowUp, RollEntry
from xuezheng.domains.admissions.models.seasons import (
    DwellingLock,
    Intake,
    Redirection,
    ReservedEntry,
    RuleSet,
    Season,
)
from xuezheng.domains.admissions.models.zones import (
    Consultation,
    ConsultationReply,
    Zone,
    ZonePart,
)

__all__ = [
    "Allocation",
    "Application",
    "Check",
    "Choice",
    "ClassDraw",
    "Consultation",
    "ConsultationReply",
    "Draft",
    "Draw",
    "DrawStep",
    "DwellingLock",
    "FollowUp",
    "Freeze",
    "Intake",
    "Leaf",
    "Offer",
    "Paper",
    "PaperKind",
    "Party",
    "PathRequest",
    "Rating",
    "Redirection",
    "ReservedEntry",
    "Review",
    "RollEntry",
    "RuleSet",
    "Season",
    "Standing",
    "Zone",
    "ZonePart",
]
