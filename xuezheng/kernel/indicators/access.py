"""Permissions of snapshots and bundles; which roles hold them is said by the boards' access.py."""

from enum import StrEnum


class Permission(StrEnum):
    SEE = "indicators.snapshot.see"
    MAKE = "indicators.snapshot.make"
    WRITE_BUNDLE = "indicators.bundle.write"
    TAKE_BUNDLE = "indicators.bundle.take"
