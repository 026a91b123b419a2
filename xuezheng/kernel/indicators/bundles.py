"""A bundle: what a district tells a province, in one signed file.

A tar with manifest.json, organisations.json, readings.json, facts.json and signature.  The manifest
names the SHA-256 of each other file; the signature (Ed25519) is over the manifest.  Readings and sums
per organisation only: no row of a person, no identity.

Reading trusts nothing before the signature is checked, writes nothing to disk, and knows no path.
"""

import base64
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.utils.translation import gettext as _

FORMAT = 1
#: Keeps a signature made for something else from passing as one of a bundle.
CONTEXT = b"xuezheng bundle 1\n"
CONTENTS = ("organisations.json", "readings.json", "facts.json")
MEMBERS = ("manifest.json", *CONTENTS, "signature")
#: A district's bundle has some hundred kilobytes.
MOST_BYTES = 64 * 1024 * 1024
KEY_FILE = "bundle-key"


class BundleRefused(Exception):
    """The bundle is not taken; the message is one sentence for the reader."""


@dataclass(frozen=True)
class Content:
    """What a bundle holds, as it was signed."""

    manifest: dict[str, Any]
    organisations: list[dict[str, Any]]
    readings: list[dict[str, Any]]
    facts: list[dict[str, Any]]
    digest: str


def fingerprint(key: Ed25519PublicKey) -> str:
    """SHA-256 of the raw public key, in hexadecimal: what two people compare on the telephone."""
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()


def key_text(key: Ed25519PublicKey) -> str:
    """The public key as one line of Base64, for the file that goes to the province."""
    return base64.b64encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def read_key(text: str) -> Ed25519PublicKey:
    """The public key of `key_text`.  Raises BundleRefused for anything else."""
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text.strip(), validate=True))
    except ValueError:
        raise BundleRefused(_("这个文件里没有数据包公钥。")) from None


def own_key(folder: Path) -> Ed25519PrivateKey:
    """The installation's signing key in a 0600 file of the data folder, made at the first call.

    The public half is written beside it as `bundle-key.pub`.
    """
    path = folder / KEY_FILE
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(path.read_bytes()))
    key = Ed25519PrivateKey.generate()
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(base64.b64encode(key.private_bytes_raw()))
    path.with_suffix(".pub").write_text(key_text(key.public_key()) + "\n", encoding="ascii")
    return key


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def pack(
    manifest: Mapping[str, Any],
    organisations: list[dict[str, Any]],
    readings: list[dict[str, Any]],
    facts: list[dict[str, Any]],
    *,
    key: Ed25519PrivateKey,
) -> bytes:
    """The signed file.  The same content and key give the same bytes."""
    files = dict(zip(CONTENTS, map(_json, (organisations, readings, facts)), strict=True))
    named = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    signed = _json({**manifest, "format": FORMAT, "files": named})
    files = {"manifest.json": signed, **files, "signature": key.sign(CONTEXT + signed)}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), 0o644
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def _members(data: bytes) -> dict[str, bytes]:
    """The five files.  Raises BundleRefused for anything that is not exactly they."""
    refused = BundleRefused(_("这不是区县数据包，或者文件不完整。"))
    if len(data) > MOST_BYTES:
        raise refused
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
            found = tar.getmembers()
            if [m.name for m in found] != list(MEMBERS) or not all(m.isreg() for m in found):
                raise refused
            files = {m.name: tar.extractfile(m).read() for m in found}
    except (tarfile.TarError, EOFError, ValueError, OSError):
        raise refused from None
    if any(len(files[m.name]) != m.size for m in found):
        raise refused
    return files


def district_of(data: bytes) -> str:
    """The district that a bundle says it comes from: to find its key, not to believe it."""
    try:
        manifest = json.loads(_members(data)["manifest.json"])
        return str(manifest["district"])
    except (ValueError, KeyError, TypeError):
        raise BundleRefused(_("这不是区县数据包，或者文件不完整。")) from None


def unpack(data: bytes, key: Ed25519PublicKey) -> Content:
    """The content, once signature and hashes hold.  Raises BundleRefused."""
    files = _members(data)
    signed = files["manifest.json"]
    try:
        key.verify(files["signature"], CONTEXT + signed)
    except InvalidSignature:
        raise BundleRefused(_("数据包的签名与该区县登记的公钥不符，可能被改动过。")) from None
    manifest = json.loads(signed)
    if manifest.get("format") != FORMAT:
        raise BundleRefused(_("数据包的格式不是本程序认得的版本。"))
    for name in CONTENTS:
        if hashlib.sha256(files[name]).hexdigest() != manifest["files"].get(name):
            raise BundleRefused(_("数据包的内容与签名的清单不符，可能被改动过。"))
    parts = [json.loads(files[name]) for name in CONTENTS]
    return Content(manifest, *parts, digest=hashlib.sha256(data).hexdigest())
