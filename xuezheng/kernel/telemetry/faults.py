"""Faults of the machine rather than of the program: they pass, and whoever waits should be told so."""

import errno

from django.db import InterfaceError, OperationalError

DISK = "disk"
DATABASE = "database"
_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
_DISK_FULL = "53100"  # PostgreSQL: disk_full


def fault_of(error: BaseException | None) -> str:
    """DISK when it is full or read-only, DATABASE when that cannot be reached, else an empty text."""
    if isinstance(error, OSError) and error.errno in _DISK_ERRORS:
        return DISK
    if isinstance(error, OperationalError | InterfaceError):
        full = getattr(error.__cause__, "sqlstate", None) == _DISK_FULL
        return DISK if full else DATABASE
    return ""
