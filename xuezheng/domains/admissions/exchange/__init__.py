"""Lists of admissions that go in and out as Excel."""

from xuezheng.domains.admissions.exchange.intakes import INTAKES
from xuezheng.domains.admissions.exchange.reserved import RESERVED
from xuezheng.domains.admissions.exchange.roll import ROLL
from xuezheng.domains.admissions.exchange.zones import ZONES

TABLES = (
    INTAKES,
    ZONES,
    RESERVED,
    ROLL,
)
