"""The policy on the page about the store allows what servers and commands request, no more."""

import json
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

import housectl
from housectl.store.address import StoreAddress
from housectl.store.checking.write_probe import prove_writes
from housectl.store.factory import open_store
from housectl.store.layout import entry_key
from tests.docs.pages import DOCS, blocks
from tests.servers.environment import use_server
from tests.servers.s3_proxy import S3Request, s3_proxy
from tests.store.filled import fill
from tools.s3_server import S3Server

PREFIX = "boston"
# S3 needs the permission to list for the 404 of a missing object.
ACTIONS = {
    "GET": "s3:GetObject",
    "HEAD": "s3:GetObject",
    "PUT": "s3:PutObject",
    "LIST": "s3:ListBucket",
}
Statement = dict[str, str]


@pytest.fixture
def statements() -> list[Statement]:
    (policy,) = [json.loads(block) for block in blocks(DOCS / "store.md", "json")]
    found: list[Statement] = policy["Statement"]
    return found


def refused(requests: Iterable[S3Request], statements: list[Statement]) -> list[S3Request]:
    """Return the requests that no statement allows."""
    return [
        request
        for request in requests
        if not any(
            statement["Action"] == ACTIONS[request.operation]
            and fnmatchcase(resource_of(request), statement["Resource"])
            for statement in statements
        )
    ]


def resource_of(request: S3Request) -> str:
    bucket = "arn:aws:s3:::my-bucket"
    return bucket if request.operation == "LIST" else f"{bucket}/{request.key}"


def test_policy_allows_commands_and_its_beginning_the_server(
    s3: S3Server, tmp_path: Path, statements: list[Statement]
) -> None:
    address = f"s3://{s3.new_bucket()}/{PREFIX}"
    with s3_proxy(s3) as proxy, use_server(proxy.server):
        store = open_store(StoreAddress.parse(address), cache=None)
        fill(store, tmp_path)
        assert refused(proxy.requests, statements) == []
        assert refused(proxy.requests, statements[:2]) != []
        proxy.requests.clear()
        store.bundle(store.require_champion().bundle)
        store.history_revision(3)
        assert housectl.check_store(address).problems == ()
        assert refused(proxy.requests, statements[:2]) == []
        assert {request.operation for request in proxy.requests} == {"LIST", "GET", "HEAD"}


def test_policy_allows_doctor_to_delete_its_file_only(
    s3: S3Server, statements: list[Statement]
) -> None:
    (delete,) = [each for each in statements if each["Action"] == "s3:DeleteObject"]
    address = f"s3://{s3.new_bucket()}/{PREFIX}"
    with s3_proxy(s3) as proxy, use_server(proxy.server):
        prove_writes(open_store(StoreAddress.parse(address), cache=None))
    written = [request for request in proxy.requests if request.operation == "PUT"]
    assert written
    for request in written:
        assert fnmatchcase(resource_of(request), delete["Resource"])
    assert not fnmatchcase(f"arn:aws:s3:::my-bucket/{PREFIX}/{entry_key(1)}", delete["Resource"])
