"""Records: immutable values with one JSON form, whose canonical bytes a digest is made of."""

import hashlib
import json
from collections.abc import Mapping
from typing import Self, dataclass_transform

import msgspec

from housectl.errors import NewerFormatError

SCHEMA_VERSION = 1


class MalformedRecordError(ValueError):
    """The bytes are not a record of the expected kind; the text says where and why."""


@dataclass_transform(frozen_default=True)
class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An immutable value with a JSON form; unknown and missing fields are refused.

    Subclasses say `kw_only=True` themselves: it is the one option that msgspec does not inherit.
    """

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read a record back.

        Raises:
            MalformedRecordError: Not JSON, or not an object of this kind.
            NewerFormatError: Written by a newer housectl.
        """
        try:
            return msgspec.json.decode(data, type=cls)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            _refuse_newer(data)
            raise MalformedRecordError(str(error)) from error

    def to_json(self) -> bytes:
        """Return the stored form: indented, keys sorted, one newline at the end."""
        text = json.dumps(
            msgspec.to_builtins(self), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False
        )
        return text.encode() + b"\n"


def canonical_json(value: Record | Mapping[str, object]) -> bytes:
    """Return the bytes that digests are made of: sorted keys, no spaces, floats as by repr()."""
    return json.dumps(
        msgspec.to_builtins(value),
        separators=(",", ":"),
        sort_keys=True,
        ensure_ascii=False,
        allow_nan=False,
    ).encode()


def digest_of(value: Record | Mapping[str, object]) -> str:
    """Return the sha256 of a value's canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


class _Versioned(msgspec.Struct):
    schema_version: int = SCHEMA_VERSION


def _refuse_newer(data: bytes) -> None:
    try:
        version = msgspec.json.decode(data, type=_Versioned).schema_version
    except (msgspec.DecodeError, UnicodeDecodeError):
        return
    if version > SCHEMA_VERSION:
        raise NewerFormatError(
            f"This record has format {version}; this housectl reads up to {SCHEMA_VERSION}.",
            hint="pip install --upgrade housectl",
        )
