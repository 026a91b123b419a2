"""Permission to open the import pages at all; which table a person may import is the table's own.

Which roles hold it is said where the tables are declared.
"""

from enum import StrEnum


class Permission(StrEnum):
    USE = "exchange.use"
