"""Requests to an object store, with bounded sizes and times and with translated errors."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from housectl.contract.regular_files import read_regular
from housectl.deadline import Deadline, call_until
from housectl.errors import ObjectStoreError
from housectl.store.address import Provider, RemoteAddress
from housectl.store.objects.aws_profile import aws_settings
from housectl.store.objects.errors import object_store_error, translate_object_errors

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import ClientConfig, RetryConfig
    from obstore.store import ObjectStore as ObstoreClient

MAX_OBJECTS = 200_000

_PAGE_SIZE = 1000
_REQUEST_SECONDS = 600.0
# A server can continue a listing with empty pages, which the client reads without an end.
_PAGE_SECONDS = 60.0

_Result = TypeVar("_Result")


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """An object of a listing.

    Attributes:
        key: Key relative to the prefix of the store.
        etag: Value that changes with the content; None if the server has none.
    """

    key: str
    size: int
    etag: str | None


@dataclass(frozen=True)
class ObjectClient:
    """Client of the objects below one prefix.

    Missing objects are FileNotFoundError, existing ones FileExistsError, and all other failures
    ObjectStoreError.
    """

    address: RemoteAddress
    client: "ObstoreClient"

    def get(self, key: str, *, limit: int) -> bytes:
        """Return the content of an object of at most `limit` bytes.

        Raises:
            OSError: The object is too large.
        """
        content = self._request(lambda: self._get(key, limit=limit))
        if content is None:
            raise OSError(f"{key} is larger than {limit} bytes")
        return content

    def _get(self, key: str, *, limit: int) -> bytes | None:
        """Return the content; None if it is larger than its limit, even if its header is not."""
        result = self.client.get(key)
        if result.meta["size"] > limit:
            return None
        content = bytearray()
        for chunk in result.stream():
            content += chunk
            if len(content) > limit:
                return None
        return bytes(content)

    def head(self, key: str) -> StoredObject | None:
        """Return an object without its content; None if it is missing."""
        try:
            meta = self._request(lambda: self.client.head(key))
        except FileNotFoundError:
            return None
        return _stored_object(meta, key=key)

    def list(self, folder: str = "") -> Iterator[StoredObject]:
        """Yield all objects of a folder, also those of folders in it.

        Raises:
            ObjectStoreError: The folder has too many objects.
        """
        count = 0
        pages = self.client.list(folder or None, chunk_size=_PAGE_SIZE)
        while page := self._request(lambda: next(pages, None), seconds=_PAGE_SECONDS):
            count += len(page)
            if count > MAX_OBJECTS:
                raise ObjectStoreError(
                    f"The store {self.address} is too large: {folder or 'it'} has more than "
                    f"{MAX_OBJECTS} objects.",
                    hint="housectl history --store ADDRESS   # uses another prefix",
                )
            for meta in page:
                yield _stored_object(meta, key=meta["path"])

    def put(self, key: str, data: bytes) -> None:
        """Write an object; replace an existing one."""
        with self._translate_errors(FileNotFoundError, FileExistsError):
            self._request(lambda: self.client.put(key, data))

    def create(self, key: str, data: bytes) -> str | None:
        """Write a new object, and return its etag.

        Raises:
            FileExistsError: The object exists, or another conditional request was in progress.
        """
        with self._translate_errors(FileNotFoundError):
            created = self._request(lambda: self.client.put(key, data, mode="create"))
            return _etag(created["e_tag"])

    def delete(self, key: str) -> None:
        """Delete an object, if it exists."""
        with suppress(FileNotFoundError):
            self._request(lambda: self.client.delete(key))

    def _request(
        self, function: Callable[[], _Result], *, seconds: float = _REQUEST_SECONDS
    ) -> _Result:
        """Return the result of requests, in a thread: the library delays Ctrl-C until they end."""
        with translate_object_errors(self.address):
            return call_until(Deadline.after(seconds), function)

    @contextmanager
    def _translate_errors(self, *meaningless: type[OSError]) -> Iterator[None]:
        """Translate the errors of a request, also those that have no meaning for it."""
        try:
            yield
        except meaningless as error:
            raise object_store_error(self.address, str(error.__cause__)) from error


def _stored_object(meta: "ObjectMeta", *, key: str) -> StoredObject:
    return StoredObject(key=key, size=meta["size"], etag=_etag(meta["e_tag"]))


def _etag(value: str | None) -> str | None:
    """Return an etag without quotes, which only some requests of some servers return."""
    return value.strip('"') if value else None


def connect(address: RemoteAddress) -> ObjectClient:
    """Return a client, with the credentials of the provider's usual variables and files.

    Raises:
        ObjectStoreError: The configuration is invalid.
    """
    with translate_object_errors(address):
        return ObjectClient(address, _client(address))


def _client(address: RemoteAddress) -> "ObstoreClient":
    from obstore.store import AzureStore, GCSStore

    if address.provider is Provider.S3:
        return _s3_client(address)
    store = GCSStore if address.provider is Provider.GCS else AzureStore
    return store(
        address.bucket,
        prefix=address.prefix or None,
        client_options=_client_options(allow_http=False),
        retry_config=_retry_config(),
    )


def _s3_client(address: RemoteAddress) -> "ObstoreClient":
    from obstore.store import S3Store

    settings = aws_settings()
    allow_http = str(settings.get("endpoint", "")).startswith("http://")
    return S3Store(
        prefix=address.prefix or None,
        config={"bucket": address.bucket, **settings},
        client_options=_client_options(allow_http=allow_http),
        retry_config=_retry_config(),
    )


def _client_options(*, allow_http: bool) -> "ClientConfig":
    """Return the time limits. Only an endpoint that the user names may be plain HTTP."""
    options: ClientConfig = {
        "connect_timeout": timedelta(seconds=5),
        "read_timeout": timedelta(seconds=30),
        "timeout": timedelta(minutes=10),
    }
    if allow_http:
        options["allow_http"] = True
    if path := os.environ.get("AWS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE"):
        options["root_certificate"] = _read_certificates(Path(path))
    return options


def _read_certificates(path: Path) -> bytes:
    try:
        return read_regular(path)
    except OSError as error:
        raise ObjectStoreError(
            f"The certificates {path} cannot be read: {error.strerror}.",
            hint="unset AWS_CA_BUNDLE SSL_CERT_FILE   # or name another file",
        ) from error


def _retry_config() -> "RetryConfig":
    return {
        "max_retries": 3,
        "retry_timeout": timedelta(seconds=20),
        "backoff": {
            "init_backoff": timedelta(milliseconds=100),
            "max_backoff": timedelta(seconds=2),
            "base": 2,
        },
    }
