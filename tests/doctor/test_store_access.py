"""Doctor's proof that a store is readable, writable, and safe for promotions."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import housectl
from housectl.doctor import store as doctor
from housectl.doctor.store import check_store_access
from housectl.errors import HousectlError
from housectl.store.address import StoreAddress
from housectl.store.factory import open_store
from housectl.store.local import LocalStore
from tests.servers.s3_proxy import Fault, S3Proxy, S3Request, s3_proxy
from tests.store.filled import fill
from tests.strace import inject_fault
from tools.project_directory import ProjectDirectory, example
from tools.s3_server import S3Server
from tools.server_process import free_port


@pytest.fixture
def project(tmp_path: Path) -> ProjectDirectory:
    return example(".", tmp_path / "boston")


def check(project: ProjectDirectory, address: object = None) -> str:
    opened = housectl.open(project.path, store=None if address is None else str(address))
    return check_store_access(opened.context.check_context)


def failure(project: ProjectDirectory, address: object) -> HousectlError:
    with pytest.raises(HousectlError) as error:
        check(project, address)
    return error.value


def use(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let this process use a server, and return the address of a store in a new bucket."""
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return f"s3://{server.new_bucket()}/a/b"


def keys(address: str) -> list[str]:
    return [file.key for file in open_store(StoreAddress.parse(address), cache=None)._files()]


def test_directory_is_proved_and_left_as_it_was(project: ProjectDirectory, tmp_path: Path) -> None:
    for prepare in (lambda: None, lambda: fill(LocalStore(project.store), tmp_path)):
        prepare()
        before = sorted(project.path.rglob("*"))
        assert "readable and writable" in check(project)
        assert sorted(project.path.rglob("*")) == before


@pytest.mark.slow
@pytest.mark.strace
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        ("link", "EPERM", "Operation not permitted"),
        ("fsync", "EROFS", "Read-only file system"),
        ("fsync", "ENOSPC", "No space left on device"),
    ],
)
def test_unusable_file_system_is_reported(
    project: ProjectDirectory, call: str, error: str, message: str
) -> None:
    output = project.run("doctor", "--json", wrapper=inject_fault(call, f"error={error}"))
    results = {row["check"]: row for row in output.json["checks"]}  # type: ignore[attr-defined]
    assert results["store access"]["result"] == "failed"
    assert message in results["store access"]["found"]
    assert results["store"]["result"] == "skipped"
    assert not [*project.path.glob(".tmp-*")]


@pytest.mark.parametrize("name", ["s3", "moto"])
def test_bucket_is_proved_and_left_as_it_was(
    project: ProjectDirectory,
    name: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address = use(request.getfixturevalue(name), monkeypatch)
    assert "an existing file is not replaced" in check(project, address)
    assert keys(address) == []


def test_missing_bucket_is_reported(
    project: ProjectDirectory, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(s3, monkeypatch)
    error = failure(project, "s3://no-such-bucket/a")
    assert "the bucket does not exist" in error.message
    assert error.hint == "aws s3 mb s3://no-such-bucket"


def test_unreachable_server_is_reported(
    project: ProjectDirectory, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = use(s3, monkeypatch)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    assert "the endpoint is unreachable" in failure(project, address).message


@pytest.fixture
def proxy(moto: S3Server) -> Iterator[S3Proxy]:
    """A proxy before a server that does not check signatures, so headers can be removed."""
    with s3_proxy(moto) as proxy:
        yield proxy


def test_server_that_ignores_the_condition_is_reported(
    project: ProjectDirectory, proxy: S3Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = use(proxy.server, monkeypatch)
    proxy.fail_all(Fault.IGNORE_CONDITION)
    error = failure(project, address)
    assert "ignores the condition of a conditional create" in error.message
    assert error.hint.startswith(f"housectl store copy {address} NEW_STORE")
    assert keys(address) == []


@pytest.mark.parametrize(
    ("forbidden", "message"),
    [
        ({"LIST", "GET", "HEAD", "PUT", "POST"}, "is unavailable: access is denied"),
        ({"PUT"}, "can be read, but not written"),
        ({"GET"}, "is unavailable: access is denied"),
        ({"POST"}, "of this check cannot be deleted"),
    ],
    ids=["all", "write", "read", "delete"],
)
def test_missing_permission_is_reported(
    project: ProjectDirectory,
    proxy: S3Proxy,
    monkeypatch: pytest.MonkeyPatch,
    forbidden: set[str],
    message: str,
) -> None:
    address = use(proxy.server, monkeypatch)

    def refuse(request: S3Request) -> Fault | None:
        return Fault.FORBIDDEN if request.operation in forbidden else None

    proxy.choose_fault = refuse
    error = failure(project, address)
    proxy.fail_none()
    assert message in error.message
    assert error.hint
    assert bool(keys(address)) == (forbidden == {"POST"})


def test_silent_server_is_reported_in_time(
    project: ProjectDirectory, proxy: S3Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = use(proxy.server, monkeypatch)
    proxy.fail_all(Fault.HOLD)
    monkeypatch.setattr(doctor, "_TIMEOUT_SECONDS", 0.5)
    assert "does not respond within" in failure(project, address).message
