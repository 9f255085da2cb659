"""SIGKILL at random moments of promotions and rollbacks, while a reader watches the store."""

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from housectl.errors import HousectlError
from housectl.store.base import ChampionStore
from tests.drills.drill import DrillResult
from tests.drills.forked_commands import ForkedCommands, forked_commands
from tests.drills.rivals import Rivals, project_with_rivals
from tools.project_directory import HOUSECTL, clean_environment

_ATTEMPTS_PER_PROJECT = 50
_READ_PAUSE_SECONDS = 0.002


def run(scratch: Path, count: int) -> DrillResult:
    """Kill `count` running commands; after each, check the store and run the next command."""
    drill = Kills()
    moments = random.Random(1)
    with forked_commands() as commands:
        while drill.kills < count:
            rivals = project_with_rivals(scratch / f"project-{drill.kills}")
            with watched(rivals.store, drill.failures):
                drill.attempt_cold_start(commands, rivals, moments.uniform(0.0, 2.0))
                for _ in range(_ATTEMPTS_PER_PROJECT):
                    if drill.kills < count:
                        seconds = moments.uniform(0.0, drill.seconds)
                        drill.attempt(commands, rivals, partial(time.sleep, seconds))
    return drill.result


@dataclass
class Kills:
    """The drill's counts, and the time that commands take."""

    seconds: float = 0.2
    committed: int = 0
    early: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def kills(self) -> int:
        """Number of commands that were killed before their end."""
        return self.early + self.committed

    @property
    def result(self) -> DrillResult:
        """The outcome of the drill."""
        figure = f"{self.early} kills came before the commit, and {self.committed} after it."
        return DrillResult(attempts=self.kills, failures=self.failures, figures=[figure])

    def attempt(self, commands: ForkedCommands, rivals: Rivals, wait: Callable[[], object]) -> None:
        """Kill one command after a wait, and run the next one to its end."""
        before = rivals.entries
        pid = commands.start(rivals.project.path, rivals.next_command)
        wait()
        os.kill(pid, signal.SIGKILL)
        self._count(commands.wait(pid), rivals.entries - before)
        self._run_next(commands, rivals)

    def attempt_cold_start(self, commands: ForkedCommands, rivals: Rivals, seconds: float) -> None:
        """Kill one command that may still be importing its modules, and run the next one."""
        before = rivals.entries
        status = _kill_cold_start(rivals, seconds)
        self._count(status, rivals.entries - before)
        self._run_next(commands, rivals)

    def _count(self, status: int, entries: int) -> None:
        if status == -signal.SIGKILL:
            self.committed += entries
            self.early += 1 - entries

    def _run_next(self, commands: ForkedCommands, rivals: Rivals) -> None:
        command, before, started = rivals.next_command, rivals.entries, time.monotonic()
        status = commands.run(rivals.project.path, command)
        self.seconds = 0.9 * self.seconds + 0.1 * (time.monotonic() - started)
        problems = {
            f"exit status {status}": status != 0,
            f"{rivals.entries - before} entries": rivals.entries != before + 1,
            "a temporary file is left": any((rivals.project.store / "history").glob(".tmp-*")),
            "deploy_details.json is outdated": rivals.recorded_champion != rivals.champion,
        }
        self.failures += [
            f"After kill {self.kills}, {command}: {problem}."
            for problem, occurred in problems.items()
            if occurred
        ]


def _kill_cold_start(rivals: Rivals, seconds: float) -> int:
    process = subprocess.Popen(
        [HOUSECTL, rivals.next_command],
        cwd=rivals.project.path,
        env=clean_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    process.kill()
    return process.wait()


@contextmanager
def watched(store: ChampionStore, failures: list[str]) -> Iterator[None]:
    """Read history and champion in a thread until the block ends; each must always be valid."""
    stop = threading.Event()

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
