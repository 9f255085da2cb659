"""Commands of housectl as forks of one process that has imported everything.

`python -m tests.drills.forked_commands` reads one JSON request a line and answers with one number:
the PID of a started command, or the exit status of an ended one. A fork starts in milliseconds, so
a drill can kill a thousand commands. The process has one thread, so its forks cannot deadlock.
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from tools.project_directory import ROOT, clean_environment

# Output of all commands, in the directory of each command.
LOG_FILE = "commands.log"


@dataclass(frozen=True)
class ForkedCommands:
    """The forking process, and requests to it."""

    process: "subprocess.Popen[str]"

    def start(self, directory: Path, *arguments: str) -> int:
        """Start a command in a directory, and return its PID."""
        return self._request({"directory": str(directory), "arguments": arguments})

    def wait(self, pid: int) -> int:
        """Return the exit status of a command; the negative number of the signal that killed it."""
        return self._request({"wait": pid})

    def run(self, directory: Path, *arguments: str) -> int:
        """Run a command to its end, and return its exit status."""
        return self.wait(self.start(directory, *arguments))

    def start_at_once(self, directories: Sequence[Path], *arguments: str) -> list[int]:
        """Start a command in each directory, all at the same moment, and return their PIDs."""
        pids = [
            self._request({"directory": str(each), "arguments": arguments, "held": True})
            for each in directories
        ]
        self._request({"release": True})
        return pids

    def _request(self, request: object) -> int:
        assert self.process.stdin
        assert self.process.stdout
        print(json.dumps(request), file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline())


@contextlib.contextmanager
def forked_commands() -> Iterator[ForkedCommands]:
    """Start the forking process, and end it after the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.drills.forked_commands"],
        cwd=ROOT,
        env=clean_environment() | {"OPENBLAS_NUM_THREADS": "1", "ORT_DISABLE_TELEMETRY": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield ForkedCommands(process)
        assert process.stdin
        process.stdin.close()


def _serve() -> None:
    _import_everything()
    gate = os.pipe()
    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            _, status = os.waitpid(request["wait"], 0)
            answer = os.waitstatus_to_exitcode(status)
        elif "release" in request:
            os.close(gate[1])
            gate, answer = os.pipe(), 0
        else:
            answer = os.fork() or _run_command(request, gate)
        print(answer, flush=True)


def _import_everything() -> None:
    import numpy as np
    import onnxruntime

    import housectl.backends.local.backend
    import housectl.cli.main
    import housectl.project.config
    import housectl.promotion

    housectl.cli.main.make_app()
    assert np
    assert onnxruntime
    threads = list(Path("/proc/self/task").iterdir())
    assert len(threads) == 1, "a fork of several threads can deadlock"


def _run_command(request: dict[str, object], gate: tuple[int, int]) -> NoReturn:
    from housectl.cli.main import run

    status = 1
    try:
        if "held" in request:
            os.close(gate[1])
            os.read(gate[0], 1)
        os.chdir(str(request["directory"]))
        sys.argv = ["housectl", *map(str, request["arguments"])]  # type: ignore[call-overload]
        with Path(LOG_FILE).open("a") as log:
            for stream in (sys.stdout, sys.stderr):
                os.dup2(log.fileno(), stream.fileno())
        status = int(run())
    finally:
        os._exit(status)


if __name__ == "__main__":
    _serve()
