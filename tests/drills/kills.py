"""SIGKILL at random moments of promotions and rollbacks, while a reader watches the store."""

import json
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from housectl.errors import HousectlError
from housectl.store.local import LocalStore
from tests.drills.drill import DrillResult
from tests.drills.forked_commands import ForkedCommands, forked_commands
from tests.drills.rivals import project_with_rivals
from tools.project_directory import HOUSECTL, ProjectDirectory, clean_environment

_ATTEMPTS_PER_PROJECT = 50
_READ_PAUSE_SECONDS = 0.002


def run(scratch: Path, count: int) -> DrillResult:
    """Kill `count` running commands; after each, check the store and run the next command."""
    drill = _Kills(random.Random(1))
    with forked_commands() as commands:
        while drill.kills < count:
            project = project_with_rivals(scratch / f"project-{drill.kills}")
            with _reader(project, drill.failures):
                drill.attempt_cold_start(commands, project)
                for _ in range(_ATTEMPTS_PER_PROJECT):
                    if drill.kills < count:
                        drill.attempt(commands, project)
    return DrillResult(attempts=drill.kills, failures=drill.failures, figures=[drill.figure])


@dataclass
class _Kills:
    """The drill's counts, and the time that commands take."""

    moments: random.Random
    seconds: float = 0.2
    committed: int = 0
    early: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def kills(self) -> int:
        """Number of commands that were killed before their end."""
        return self.early + self.committed

    @property
    def figure(self) -> str:
        return f"{self.early} kills came before the commit, and {self.committed} after it."

    def attempt(self, commands: ForkedCommands, project: ProjectDirectory) -> None:
        """Kill one command, and run the next one to its end."""
        before = _entries(project)
        pid = commands.start(project.path, _next_command(project))
        time.sleep(self.moments.uniform(0.0, self.seconds))
        os.kill(pid, signal.SIGKILL)
        self._count(commands.wait(pid), _entries(project) - before)
        self._run_next(commands, project)

    def attempt_cold_start(self, commands: ForkedCommands, project: ProjectDirectory) -> None:
        """Kill one command that may still be importing its modules, and run the next one."""
        before = _entries(project)
        status = _kill_cold_start(project, self.moments.uniform(0.0, 2.0))
        self._count(status, _entries(project) - before)
        self._run_next(commands, project)

    def _count(self, status: int, entries: int) -> None:
        if status == -signal.SIGKILL:
            self.committed += entries
            self.early += 1 - entries

    def _run_next(self, commands: ForkedCommands, project: ProjectDirectory) -> None:
        command, before, started = _next_command(project), _entries(project), time.monotonic()
        status = commands.run(project.path, command)
        self.seconds = 0.9 * self.seconds + 0.1 * (time.monotonic() - started)
        problems = {
            f"exit status {status}": status != 0,
            f"{_entries(project) - before} entries": _entries(project) != before + 1,
            "a temporary file is left": any((project.store / "history").glob(".tmp-*")),
            "deploy_details.json is outdated": _recorded(project) != _champion(project),
        }
        self.failures += [
            f"After kill {self.kills}, {command}: {problem}."
            for problem, occurred in problems.items()
            if occurred
        ]


def _kill_cold_start(project: ProjectDirectory, seconds: float) -> int:
    process = subprocess.Popen(
        [HOUSECTL, _next_command(project)],
        cwd=project.path,
        env=clean_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    process.kill()
    return process.wait()


def _next_command(project: ProjectDirectory) -> str:
    """Return the command that changes the champion: one of the two models is always better."""
    store = LocalStore(project.store)
    is_good = _champion(project) == store.newest_challenger().bundle
    return "rollback" if is_good else "promote"


def _entries(project: ProjectDirectory) -> int:
    return len(LocalStore(project.store).history())


def _champion(project: ProjectDirectory) -> str:
    return LocalStore(project.store).require_champion().bundle


def _recorded(project: ProjectDirectory) -> str:
    """Return the digest of the champion in deploy_details.json, which has only its start."""
    details = json.loads((project.path / "deploy_details.json").read_text())
    version = str(details["prod_model"]["version"])
    return next(
        entry.bundle
        for entry in LocalStore(project.store).history()
        if entry.bundle.startswith(version)
    )


@contextmanager
def _reader(project: ProjectDirectory, failures: list[str]) -> Iterator[None]:
    """Read history and champion in a thread until the block ends; each must always be valid."""
    stop = threading.Event()
    store = LocalStore(project.store)

    def read() -> None:
        length = 0
        while not stop.wait(_READ_PAUSE_SECONDS):
            try:
                history = store.history()
                store.bundle(history[-1].bundle)
            except HousectlError as error:
                failures.append(f"A reader failed: {error.message}")
                return
            if len(history) < length:
                failures.append(f"A reader saw {len(history)} entries after {length}.")
            length = len(history)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield
    finally:
        stop.set()
        reader.join()
