"""Records: immutable values with a JSON form; digests are computed from their canonical JSON."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import ClassVar, Self, dataclass_transform

import msgspec

from housectl.contract.struct_types import analyse_type
from housectl.errors import NewerFormatError

SCHEMA_VERSION = 1


class MalformedRecordError(ValueError):
    """The bytes are not a record of the expected kind; the text has the place and the cause."""


def require(condition: object, problem: str) -> None:
    """Check a condition of stored data.

    Raises:
        MalformedRecordError: The condition is false.
    """
    if not condition:
        raise MalformedRecordError(problem)


@dataclass_transform(frozen_default=True)
class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Immutable value with a JSON form; unknown and missing fields are errors.

    Subclasses pass `kw_only=True` themselves, because msgspec does not inherit this option.

    Attributes:
        newest_version: Newest format that this housectl reads and writes.
    """

    newest_version: ClassVar[int] = SCHEMA_VERSION

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Parse the JSON form of a record.

        Raises:
            MalformedRecordError: The data is not JSON, or not a record of this class.
            NewerFormatError: A newer housectl wrote the record.
        """
        analyse_type(cls)
        try:
            if "schema_version" in cls.__struct_fields__:
                _check_version(data, newest=cls.newest_version)
            return msgspec.json.decode(data, type=cls)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise MalformedRecordError(str(error)) from error

    def to_json(self) -> bytes:
        """Return the stored form: indented, keys sorted, one newline at the end."""
        text = json.dumps(
            msgspec.to_builtins(self), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False
        )
        return text.encode() + b"\n"


def canonical_json(value: Record | Mapping[str, object]) -> bytes:
    """Return the JSON that digests are computed from: sorted keys, no spaces, floats as repr()."""
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
    schema_version: int


def new_nonce() -> str:
    """Return a random text that makes a record unique, even among those of the same moment."""
    return secrets.token_hex(16)


def _check_version(data: bytes, *, newest: int) -> None:
    analyse_type(_Versioned)
    version = msgspec.json.decode(data, type=_Versioned).schema_version
    if version > newest:
        raise NewerFormatError(
            f"The record has format {version}, but this housectl reads up to {newest}.",
            hint="pip install --upgrade housectl",
        )
    if version < SCHEMA_VERSION:
        raise MalformedRecordError(f"its format is {version} instead of {newest}")
