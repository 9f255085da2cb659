"""Failures of object stores: each has one message with its cause, and a hint."""

import re
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from housectl.contract.history import Action
from housectl.errors import ExitStatus, HousectlError, ObjectStoreError
from housectl.store.address import Provider, RemoteAddress
from housectl.store.layout import entry_key
from housectl.store.objects.errors import object_store_error
from housectl.store.objects.object_store import ObjectStore
from tests.server.bundles import make_bundle, promote
from tests.servers.s3_proxy import Fault, S3Proxy
from tests.store.remote import open_remote, use_server
from tools.project_directory import HOUSECTL, ProjectDirectory, clean_environment, example
from tools.s3_server import S3Server

SECRET = "wJalrXUtnFEMI"


@pytest.fixture
def store(proxy: S3Proxy, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    use_server(proxy.server, monkeypatch)
    store = open_remote(f"s3://{proxy.server.new_bucket()}/houses")
    proxy.requests.clear()
    return store


def read(store: ObjectStore) -> object:
    return store._read("history/1.json")


def write(store: ObjectStore) -> object:
    return store._write("history/1.json", b"{}")


def create(store: ObjectStore) -> object:
    return store._create("history/1.json", b"{}")


OPERATIONS = (ObjectStore.history, read, write, create)


@pytest.mark.parametrize("operation", [write, create], ids=["write", "create"])
def test_key_of_a_folder_cannot_be_written(
    store: ObjectStore, operation: Callable[[ObjectStore], object]
) -> None:
    store._write("history/1.json/stray", b"{}")
    with pytest.raises(ObjectStoreError) as error:
        operation(store)
    assert "a folder has the name of an object (ExistingObjectIsDirectory)" in error.value.message
    assert error.value.hint.startswith(f"housectl store check {store.location()} ")


def failure_of(operation: Callable[[ObjectStore], object], url: str) -> HousectlError:
    with pytest.raises(ObjectStoreError) as error:
        operation(open_remote(url))
    message = error.value.message
    assert url in message
    assert "\n" not in message
    assert "Debug source" not in message
    assert SECRET not in message + error.value.hint
    assert re.match(r"[a-z]+ \S+", error.value.hint)
    return error.value


@pytest.mark.parametrize("operation", OPERATIONS)
def test_missing_bucket_is_reported(
    operation: Callable[[ObjectStore], object], s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_server(s3, monkeypatch)
    error = failure_of(operation, "s3://no-such-bucket/houses")
    assert "the bucket does not exist" in error.message
    assert error.hint == "aws s3 mb s3://no-such-bucket"


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("variable", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_wrong_credentials_are_reported(
    operation: Callable[[ObjectStore], object],
    variable: str,
    s3: S3Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use_server(s3, monkeypatch)
    monkeypatch.setenv(variable, SECRET)
    error = failure_of(operation, f"s3://{s3.new_bucket()}/houses")
    assert "the credentials are invalid" in error.message


@pytest.mark.parametrize("variable", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_missing_half_of_the_credentials_is_reported(
    variable: str, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_server(s3, monkeypatch)
    address = f"s3://{s3.new_bucket()}/houses"
    monkeypatch.delenv(variable)
    error = failure_of(read, address)
    assert "there are no credentials" in error.message
    assert "AWS_SECRET_ACCESS_KEY" in error.hint


def test_wrong_region_is_reported(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    use_server(s3, monkeypatch)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert "another region" in failure_of(read, f"s3://{s3.new_bucket()}").message


@pytest.mark.parametrize("operation", OPERATIONS)
def test_refused_connection_is_reported(
    operation: Callable[[ObjectStore], object], s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_server(s3, monkeypatch)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    error = failure_of(operation, "s3://bucket/houses")
    assert "the endpoint is unreachable" in error.message
    assert error.status is ExitStatus.LOCAL_ENVIRONMENT


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (Fault.CUT_BEFORE, "the endpoint is unavailable"),
        (Fault.SLOW_DOWN, "the endpoint is unavailable (SlowDown)"),
        (Fault.FORBIDDEN, "access is denied"),
    ],
)
def test_persistent_fault_is_reported(
    operation: Callable[[ObjectStore], object],
    fault: Fault,
    cause: str,
    store: ObjectStore,
    proxy: S3Proxy,
) -> None:
    proxy.fail_all(fault)
    assert cause in failure_of(operation, store.location()).message


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER, Fault.SLOW_DOWN])
def test_passing_fault_changes_no_result(
    fault: Fault, store: ObjectStore, proxy: S3Proxy, tmp_path: Path
) -> None:
    bundle = make_bundle(tmp_path)
    promote(store, bundle)
    for number in range(3):
        proxy.fail_nth(number, fault)
        assert store.require_champion().bundle == bundle.digest
        assert store.bundle(bundle.digest).content == bundle.content


def test_truncated_content_is_never_returned(
    store: ObjectStore, proxy: S3Proxy, tmp_path: Path
) -> None:
    promote(store, make_bundle(tmp_path))
    proxy.fail_all(Fault.TRUNCATE)
    for operation in (ObjectStore.history, read):
        failure_of(operation, store.location())


def test_creation_whose_answer_was_lost_succeeds(store: ObjectStore, proxy: S3Proxy) -> None:
    proxy.fail_nth(0, Fault.CUT_AFTER)
    assert store._create("history/1.json", b"ours")
    assert not store._create("history/1.json", b"theirs")
    assert store._read("history/1.json") == b"ours"


def test_creation_is_repeated_while_the_object_is_absent(
    store: ObjectStore, proxy: S3Proxy
) -> None:
    proxy.fail_nth(0, Fault.CONFLICT)
    assert store._create("history/1.json", b"ours")
    assert [request.operation for request in proxy.requests] == ["PUT", "GET", "PUT"]


def test_creation_that_always_conflicts_ends(store: ObjectStore, proxy: S3Proxy) -> None:
    proxy.choose_fault = lambda request: Fault.CONFLICT if request.operation == "PUT" else None
    with pytest.raises(HousectlError, match="other requests to create it are in progress"):
        store._create("history/1.json", b"ours")
    with pytest.raises(FileNotFoundError):
        store._read("history/1.json")


@pytest.mark.parametrize("number", range(12))
@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER])
def test_promotion_through_a_cut_happens_once(
    fault: Fault, number: int, store: ObjectStore, proxy: S3Proxy, tmp_path: Path
) -> None:
    proxy.fail_nth(number, fault)
    entry = promote(store, make_bundle(tmp_path))
    assert store.history() == (entry,)


def test_object_above_its_limit_is_not_read(store: ObjectStore) -> None:
    store._write("notes.txt", b"x" * 100)
    assert len(store._read("notes.txt", limit=100)) == 100
    with pytest.raises(OSError, match="larger than 99 bytes"):
        store._read("notes.txt", limit=99)


def test_endless_content_is_not_read(store: ObjectStore, proxy: S3Proxy) -> None:
    store._write("notes.txt", b"x")
    proxy.fail_all(Fault.ENDLESS)
    with pytest.raises(OSError, match="larger than 100 bytes"):
        store._read("notes.txt", limit=100)


def test_endless_listing_is_reported(
    store: ObjectStore, proxy: S3Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("housectl.store.objects.client._PAGE_SECONDS", 0.1)
    proxy.fail_all(Fault.HOLD)
    error = failure_of(ObjectStore.history, store.location())
    assert "the endpoint does not respond in time" in error.message


def test_commit_names_the_winner(store: ObjectStore, tmp_path: Path) -> None:
    history = store.read_history()
    winner = promote(store, make_bundle(tmp_path, base=1.0))
    loser = make_bundle(tmp_path, base=2.0)
    store.add_bundle(loser)
    with pytest.raises(HousectlError) as error:
        store.commit(
            store.bundle(loser.digest), action=Action.PROMOTION, reason="late", history=history
        )
    assert f"entry 1, the promotion of {winner.bundle[:12]} by {winner.by}" in error.value.message
    assert store._numbers("history") == [1]
    assert store._read(entry_key(1)) == winner.to_json()


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("ExpiredToken", "the credentials have expired"),
        ("RequestTimeTooSkewed", "the clock of this machine is wrong"),
        ("PermanentRedirect", "the bucket is in another region"),
        ("ContainerNotFound", "the bucket does not exist"),
        ("AuthenticationFailed", "the credentials are invalid"),
        ("Unheard", "a request failed (Unheard)"),
    ],
)
@pytest.mark.parametrize("provider", Provider)
def test_code_names_the_cause(provider: Provider, code: str, cause: str) -> None:
    address = RemoteAddress(provider=provider, bucket="houses", prefix="")
    error = object_store_error(address, f"status code: 400: <Error><Code>{code}</Code>")
    assert cause in error.message
    assert "{" not in error.hint


@pytest.fixture
def project(tmp_path: Path) -> ProjectDirectory:
    return example(".", tmp_path / "boston")


def test_command_reports_the_object_store(project: ProjectDirectory, s3: S3Server) -> None:
    environment = {**s3.environment, "HOUSECTL_STORE": "s3://no-such-bucket/houses"}
    output = project.run("history", **environment)
    assert output.status == ExitStatus.LOCAL_ENVIRONMENT
    assert "the bucket does not exist" in output.err
    assert "Traceback" not in output.err


def test_ctrl_c_ends_a_command_that_waits_for_the_store(
    project: ProjectDirectory, proxy: S3Proxy
) -> None:
    bucket = proxy.server.new_bucket()
    proxy.fail_all(Fault.HOLD)
    command = subprocess.Popen(
        [HOUSECTL, "history", "--store", f"s3://{bucket}"],
        cwd=project.path,
        env={**clean_environment(), **proxy.server.environment},
        stderr=subprocess.PIPE,
    )
    while not proxy.held:
        assert command.poll() is None
    command.send_signal(signal.SIGINT)
    _, stderr = command.communicate()
    assert command.returncode == ExitStatus.INTERRUPTED
    assert b"Traceback" not in stderr


def test_hint_repeats_the_url_of_the_store(project: ProjectDirectory, s3: S3Server) -> None:
    url = f"s3://{s3.new_bucket()}/houses"
    output = project.run("rollback", "--store", url, **s3.environment)
    assert output.status == ExitStatus.BUNDLE
    assert f"housectl promote --store {url}" in output.err
