"""Places and people.  Reading order: places.py, people.py, merging.py, switches.py."""

from xuezheng.registry.models.merging import DuplicatePair, PersonMerge
from xuezheng.registry.models.people import (
    Employment,
    Guardian,
    Guardianship,
    Placement,
    Pupil,
    Residence,
    StaffMember,
)
from xuezheng.registry.models.places import (
    Community,
    Dwelling,
    SchoolClass,
    SchoolYear,
    SiteProfile,
    Succession,
    Term,
)
from xuezheng.registry.models.switches import SiteAlias, SystemSwitch

__all__ = [
    "Community",
    "DuplicatePair",
    "Dwelling",
    "Employment",
    "Guardian",
    "Guardianship",
    "PersonMerge",
    "Placement",
    "Pupil",
    "Residence",
    "SchoolClass",
    "SchoolYear",
    "SiteAlias",
    "SiteProfile",
    "StaffMember",
    "Succession",
    "SystemSwitch",
    "Term",
]
