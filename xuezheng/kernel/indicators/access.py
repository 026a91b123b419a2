"""Permissions of snapshots and bundles; which roles hold them is said by the boards' access.py."""

from enum import StrEnum


class Permission(StrEnum):
    SEE = "indicators.snapshot.see"
    MAKE = "indicators.snapshot.make"
    SEE_PROVINCE = "indicators.province.see"
    WRITE_BUNDLE = "indicators.bundle.write"
    TAKE_BUNDLE = "indicators.bundle.take"
