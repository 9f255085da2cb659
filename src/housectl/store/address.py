"""Addresses of champion stores: a directory, or a prefix in a bucket of an object store.

Imports little, because every command parses an address.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from housectl.errors import UsageError

ADDRESS_FORMS = "a path, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://CONTAINER/PREFIX"

_MAX_LENGTH = 1000
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):(?P<slashes>/+)(?P<rest>.*)", re.DOTALL)
# Characters that every provider and every shell leaves as they are.
_SEGMENT = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._=+@-]+")


class Provider(StrEnum):
    """Kind of an object store: the scheme of its URLs."""

    S3 = "s3"
    GCS = "gs"
    AZURE = "az"


_BUCKET_NAMES = {
    Provider.S3: re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"),
    Provider.GCS: re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]"),
    Provider.AZURE: re.compile(r"[a-z0-9](-?[a-z0-9]){2,62}"),
}


@dataclass(frozen=True, kw_only=True)
class RemoteAddress:
    """A prefix in a bucket.

    Attributes:
        bucket: Bucket, or container of Azure.
        prefix: Common start of all keys, without slashes at its ends; empty for the whole bucket.
    """

    provider: Provider
    bucket: str
    prefix: str

    def __str__(self) -> str:
        """Return the URL."""
        return f"{self.provider}://{self.bucket}" + (f"/{self.prefix}" if self.prefix else "")


@dataclass(frozen=True)
class StoreAddress:
    """Address of a champion store, as `store:`, `--store` and `HOUSECTL_STORE` name it."""

    value: Path | RemoteAddress

    def __str__(self) -> str:
        """Return the path or URL."""
        return str(self.value)

    @property
    def is_remote(self) -> bool:
        """True for an object store."""
        return isinstance(self.value, RemoteAddress)

    @classmethod
    def parse(cls, text: str) -> "StoreAddress":
        """Return the address that a path or URL names; a relative path stays relative.

        Raises:
            UsageError: The URL is malformed, or its scheme is unsupported.
        """
        match = _URL.match(text)
        return cls(_parse_url(match) if match else Path(text))


def _parse_url(url: re.Match[str]) -> RemoteAddress:
    """Return the address of a URL. No message repeats parts that can contain a secret."""
    scheme, bucket, prefix = url["scheme"], *_split(url["rest"])
    if scheme not in set(Provider):
        raise _invalid(f"the scheme {scheme}:// is unsupported")
    provider = Provider(scheme)
    if url["slashes"] != "//":
        raise _invalid(f"{scheme}: is not followed by two slashes")
    if "@" in bucket or set("?#") & set(url["rest"]):
        raise _invalid("a URL has no user, password, query or fragment; credentials are variables")
    if not _BUCKET_NAMES[provider].fullmatch(bucket):
        raise _invalid(f"{bucket!r} is not the name of a bucket")
    if len(prefix) > _MAX_LENGTH or not all(map(_SEGMENT.fullmatch, _segments(prefix))):
        raise _invalid(
            f"the prefix {prefix[:_MAX_LENGTH]!r} may have only letters, digits, slashes and ._=+@-"
        )
    return RemoteAddress(provider=provider, bucket=bucket, prefix=prefix)


def _split(rest: str) -> tuple[str, str]:
    bucket, _, prefix = rest.partition("/")
    return bucket, prefix.removesuffix("/")


def _segments(prefix: str) -> list[str]:
    return prefix.split("/") if prefix else []


def _invalid(problem: str) -> UsageError:
    return UsageError(
        f"The address of the store is invalid: {problem}.",
        hint=f"housectl history --store ADDRESS   # {ADDRESS_FORMS}",
    )
