"""The tables of this storey: what goes in and out as Excel.  common.py first, then any of the others."""

from xuezheng.registry.exchange.accounts import ACCOUNTS
from xuezheng.registry.exchange.addresses import COMMUNITIES, DWELLINGS, RESIDENCES
from xuezheng.registry.exchange.guardians import GUARDIANS
from xuezheng.registry.exchange.pupils import PUPILS
from xuezheng.registry.exchange.sites import CLASSES, SITES
from xuezheng.registry.exchange.staff import STAFF

#: In the order in which they rest on each other.
TABLES = (
    SITES, CLASSES, PUPILS, GUARDIANS, STAFF, COMMUNITIES, DWELLINGS, RESIDENCES, ACCOUNTS,
)  # fmt: skip

__all__ = [
    "ACCOUNTS",
    "CLASSES",
    "COMMUNITIES",
    "DWELLINGS",
    "GUARDIANS",
    "PUPILS",
    "RESIDENCES",
    "SITES",
    "STAFF",
    "TABLES",
]
