"""Sealed columns: identity and telephone numbers, secrets of second factors.

AES-SIV (RFC 5297) is deterministic: a sealed column can be unique and found by equality, and tells
nothing else.  The associated data are `table.column`, so that a value cannot be moved to another
column.  Keys lie outside the database and its dumps (`settings.IDENTITY_KEYS`: tag -> 64 bytes, the
last is the active one); each value carries the tag of its key, so that keys can be changed.

Partial search (last four characters) goes through `tail_token`, a keyed hash of these alone.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings
from django.core.exceptions import FieldError
from django.db import models
from django.db.models.lookups import In

TAIL = 4


class CannotUnseal(Exception):
    """A sealed value whose key is missing, or that was altered.  Names the column, never the value."""


@cache
def _cipher(key: bytes) -> AESSIV:
    return AESSIV(key)


def active_tag() -> str:
    """Tag of the key that seals new values."""
    return next(reversed(settings.IDENTITY_KEYS))


def fingerprints() -> dict[str, str]:
    """Tag -> first 12 hexadecimal digits of the key's SHA-256, to name keys without showing them."""
    return {
        tag: hashlib.sha256(key).hexdigest()[:12] for tag, key in settings.IDENTITY_KEYS.items()
    }


def seal(value: str, column: str, tag: str | None = None) -> str:
    """`tag:base64` of the value, bound to `table.column`."""
    tag = tag or active_tag()
    sealed = _cipher(settings.IDENTITY_KEYS[tag]).encrypt(value.encode(), [column.encode()])
    return f"{tag}:{base64.b64encode(sealed).decode()}"


def unseal(sealed: str, column: str) -> str:
    """The value.  Raises CannotUnseal."""
    tag, _, text = sealed.partition(":")
    key = settings.IDENTITY_KEYS.get(tag)
    if key is None:
        raise CannotUnseal(f"{column}: key {tag} is missing")
    try:
        return _cipher(key).decrypt(base64.b64decode(text), [column.encode()]).decode()
    except (InvalidTag, ValueError) as error:
        raise CannotUnseal(f"{column}: altered") from error


def tail_token(value: str, tag: str | None = None) -> str:
    """A keyed token of the last four characters; empty for a shorter value."""
    if len(value) < TAIL:
        return ""
    tag = tag or active_tag()
    digest = hmac.new(
        settings.IDENTITY_KEYS[tag], b"tail:" + value[-TAIL:].upper().encode(), hashlib.sha256
    )
    return f"{tag}:{digest.hexdigest()[:12]}"


def tail_tokens(value: str) -> list[str]:
    """The tokens of a value's tail under every key, to search by."""
    return [token for tag in settings.IDENTITY_KEYS if (token := tail_token(value, tag))]


class SealedField(models.CharField):
    """Text that is stored sealed.  Python sees the plain value; the database never does.

    Searchable by equality only.  The empty value stays empty (NULL where the field allows it).
    """

    def __init__(self, *args: Any, **kwargs: Any):
        kwargs.setdefault("max_length", 255)
        super().__init__(*args, **kwargs)

    @property
    def column_name(self) -> str:
        """`table.column`, the associated data."""
        return f"{self.model._meta.db_table}.{self.column}"

    def get_prep_value(self, value: Any) -> Any:
        """The sealed text."""
        value = super().get_prep_value(value)
        return seal(value, self.column_name) if value else value

    def from_db_value(self, value: str | None, _expression: Any, _connection: Any) -> str | None:
        """The plain text."""
        return unseal(value, self.column_name) if value else value

    def get_lookup(self, lookup_name: str) -> Any:
        """Equality under every key; nothing else can be asked of a sealed column."""
        if lookup_name == "exact":
            return SealedExact
        if lookup_name == "in":
            return SealedIn
        if lookup_name == "isnull":
            return super().get_lookup(lookup_name)
        raise FieldError(f"{self.name} is sealed: it can only be compared by equality")


class SealedIn(In):
    """`column IN values`, whichever key a row was sealed with."""

    def get_prep_lookup(self) -> list[str] | None:
        """The values sealed under each key.  NULL equals nothing, the empty value is stored as it is.

        Raises FieldError for anything but values: the database cannot compare what is sealed apart.
        """
        field = self.lhs.output_field
        values = list(self._values(field))
        if any(hasattr(value, "resolve_expression") for value in values):
            raise FieldError(f"{field.name} is sealed: it can only be compared with values")
        return [
            seal(str(value), field.column_name, tag) if value != "" else ""
            for value in values
            if value is not None
            for tag in settings.IDENTITY_KEYS
        ]

    def _values(self, field: SealedField) -> Iterable[Any]:
        if hasattr(self.rhs, "resolve_expression"):
            raise FieldError(f"{field.name} is sealed: it can only be compared with values")
        return self.rhs

    def get_db_prep_lookup(self, value: Any, connection: Any) -> tuple[str, list[Any]]:
        """Already prepared."""
        return "%s", list(value)


class SealedExact(SealedIn):
    """`column = value`, whichever key the row was sealed with."""

    def get_prep_lookup(self) -> list[str] | None:
        """As for several values; None stays None, which Django then asks as IS NULL."""
        return None if self.rhs is None else super().get_prep_lookup()

    def _values(self, field: SealedField) -> Iterable[Any]:
        return [self.rhs]


def sealed_fields() -> list[SealedField]:
    """Every sealed column of the program."""
    from django.apps import apps

    return [
        field
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, SealedField)
    ]
