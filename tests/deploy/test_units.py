"""The units in deploy/: systemd accepts them, and a server works under their restrictions."""

import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from housectl.store.address import StoreAddress
from housectl.store.factory import open_store
from tests.deploy.host import DEPLOY, UNIT
from tests.deploy.units import read_unit
from tests.server.bundles import REFERENCE, make_bundle, promote
from tests.server.running import ROW, running, wait_until
from tests.servers.environment import use_server
from tests.strace import log_all_calls

VENV_UNIT = DEPLOY / "housectl-server-venv.service"
PYTHON = "/opt/housectl/bin/python"

# In tenths of systemd's points; 10 points mean no restrictions.
MAX_EXPOSURE = 12

CALL = re.compile(r"^(?P<process>\d+) +(?:<\.\.\. )?(?P<name>\w+)(?:\(| resumed>)", re.MULTILINE)
SOCKET = re.compile(r"\bsocket(?:pair)?\((AF_\w+)")
EXECUTABLE = re.compile(
    r"^.*(?:PROT_WRITE\|PROT_EXEC|\bmprotect\(.*PROT_EXEC|SHM_EXEC).*$", re.MULTILINE
)
WRITTEN = re.compile(r'\bopenat\(AT_FDCWD, "([^"]+)", [^)\n]*(?:O_WRONLY|O_RDWR|O_CREAT)')


def systemd_analyze(*arguments: str) -> str:
    completed = subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, check=False
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert completed.stderr == ""
    return completed.stdout


@pytest.mark.systemd
@pytest.mark.parametrize("unit", [UNIT, VENV_UNIT], ids=lambda unit: unit.name)
def test_systemd_accepts_the_unit(unit: Path, tmp_path: Path) -> None:
    text = re.sub(f"{PYTHON}|/usr/bin/docker", sys.executable, unit.read_text())
    (tmp_path / unit.name).write_text(text.replace("docker.service", ""))
    systemd_analyze("verify", str(tmp_path / unit.name))


@pytest.mark.systemd
def test_unit_of_a_virtual_environment_is_restricted() -> None:
    threshold = f"--threshold={MAX_EXPOSURE}"
    systemd_analyze("security", "--offline=yes", threshold, str(VENV_UNIT))


@pytest.fixture(params=["directory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of a store with a champion."""
    if request.param == "directory":
        yield _with_champion(str(tmp_path / "store"), tmp_path)
        return
    s3 = request.getfixturevalue("s3")
    with use_server(s3):
        yield _with_champion(f"s3://{s3.new_bucket()}/store", tmp_path)


def _with_champion(address: str, path: Path) -> str:
    promote(
        open_store(StoreAddress.parse(address), cache=None), make_bundle(path, reference=REFERENCE)
    )
    return address


@pytest.mark.slow
@pytest.mark.strace
@pytest.mark.systemd
def test_server_needs_nothing_that_the_unit_forbids(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = read_unit(VENV_UNIT)
    (command,) = unit["ExecStart"]
    python, *options = shlex.split(command.replace("--port 8005 ", "").replace("auto", "2"))
    assert python == PYTHON
    for variable in shlex.split(unit["Environment"][0]):
        monkeypatch.setenv(*variable.split("=", 1))
    private, logs = tmp_path / "private", tmp_path / "logs"
    private.mkdir()
    logs.mkdir()
    monkeypatch.setenv("TMPDIR", str(private))
    log = tmp_path / "calls"
    with running(
        store,
        tmp_path / "output.txt",
        program=(),
        options=tuple(options),
        arguments=("--access-log", "--prediction-log", str(logs / "predictions.jsonl")),
        wrapper=log_all_calls(log),
    ) as server:
        assert server.predict().status_code == 200
        assert server.predict([ROW] * 500).status_code == 200
        assert server.client.get("/metrics").status_code == 200
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait() == 0
    end = re.compile(rf"^{server.process.pid} +\+\+\+ exited with 0", re.MULTILINE)
    wait_until(lambda: end.search(log.read_text()))

    calls = log.read_text()
    assert {call["name"] for call in CALL.finditer(calls)} <= _allowed_calls(
        *unit["SystemCallFilter"]
    )
    families = set(SOCKET.findall(calls))
    assert "AF_INET" in families
    assert families <= {*unit["RestrictAddressFamilies"][0].split()}
    assert unit["MemoryDenyWriteExecute"] == ["yes"]
    assert EXECUTABLE.findall(calls) == []
    assert "CLONE_NEW" not in calls
    written = set(WRITTEN.findall(calls))
    assert str(logs / "predictions.jsonl") in written
    places = (private, logs, Path("/dev"))
    assert [name for name in written if not any(Path(name).is_relative_to(p) for p in places)] == []


def _allowed_calls(allowed: str, forbidden: str) -> set[str]:
    assert forbidden.startswith("~")
    return _calls_of(allowed) - _calls_of(forbidden.removeprefix("~"))


def _calls_of(name: str) -> set[str]:
    """Return the system calls of a group, with those of its groups."""
    if not name.startswith("@"):
        return {name}
    lines = systemd_analyze("syscall-filter", name).splitlines()[1:]
    names = [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
    return set[str]().union(*map(_calls_of, names))
