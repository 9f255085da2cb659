"""Installation of packages by pip, which follows its own configuration."""

import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from shlex import quote
from subprocess import DEVNULL, STDOUT, Popen, TimeoutExpired

from housectl.deadline import Deadline
from housectl.errors import LocalEnvironmentError
from housectl.python_process import isolated_environment, module_argv

_TIMEOUT_SECONDS = 1800.0
_REPORT_SECONDS = 0.5
_MAX_CAUSE = 300
_MAX_LOG_BYTES = 2**20
_UNREACHABLE = "connection broken by"
_PACKAGE = re.compile(r"^[A-Za-z0-9].*==", re.MULTILINE)
_COLLECTED = re.compile(r"^Collecting ", re.MULTILINE)
_INSTALLING = "Installing collected packages"
_OPTIONS = (
    *("--no-input", "--disable-pip-version-check", "--progress-bar", "off"),
    *("--no-compile", "--no-warn-script-location", "--only-binary", ":all:"),
)


class InstallProgress:
    """Progress of pip as a line: it collects all packages, then installs them.

    Args:
        packages: Number of packages.
    """

    def __init__(self, packages: int) -> None:
        self._packages = packages
        self._started = time.monotonic()
        self._collect_seconds = 0.0

    def line(self, output: str) -> str:
        """Return the line for pip's output so far."""
        seconds = time.monotonic() - self._started
        collected = len(_COLLECTED.findall(output))
        if _INSTALLING in output:
            self._collect_seconds = self._collect_seconds or seconds
            activity = f"installing {self._packages} packages"
        else:
            activity = f"package {collected} of {self._packages}"
        # Installation takes about as long as the download.
        collecting = self._collect_seconds or seconds / max(collected, 1) * self._packages
        return f"environment: {activity}, about {max(1, 2 * collecting - seconds):.0f} s left"


def create_virtual_environment(
    directory: Path, *, log: Path, report: Callable[[str], None]
) -> None:
    """Create a virtual environment with pip in an empty directory.

    Args:
        directory: The directory.
        log: File for the output of Python.
        report: Receives the progress as lines.

    Raises:
        LocalEnvironmentError: Python cannot create one.
    """
    command = [sys.executable, *module_argv("venv", str(directory))]
    if _run(command, log, on_wait=lambda: report("environment: creating")) != 0:
        major, minor = sys.version_info[:2]
        raise LocalEnvironmentError(
            f"Python cannot create a virtual environment: {_cause(log)}.",
            hint=f"sudo apt-get install python{major}.{minor}-venv   # the log: {quote(str(log))}",
        )


def install(python: Path, requirements: Path, *, log: Path, report: Callable[[str], None]) -> None:
    """Install wheels of the requirements; they are checked by hash if the file has hashes.

    Args:
        python: Python of the environment.
        requirements: Requirements file.
        log: File for pip's output.
        report: Receives the progress as lines.

    Raises:
        LocalEnvironmentError: pip failed.
    """
    text = requirements.read_text()
    progress = InstallProgress(len(_PACKAGE.findall(text)))
    hashes = ("--require-hashes",) if "--hash=" in text else ()
    arguments = module_argv("pip", "install", *_OPTIONS, *hashes, "-r", str(requirements))

    def report_progress() -> None:
        report(progress.line(_read(log)))

    if _run([str(python), *arguments], log, on_wait=report_progress) != 0:
        raise _pip_error(log)


def _run(command: Sequence[str], log: Path, *, on_wait: Callable[[], None]) -> int:
    """Run a command with its output in a log, and return its exit status."""
    deadline = Deadline.after(_TIMEOUT_SECONDS)
    with (
        log.open("wb") as output,
        Popen(
            command, env=isolated_environment(), stdin=DEVNULL, stdout=output, stderr=STDOUT
        ) as process,
    ):
        try:
            while deadline.remaining():
                try:
                    return process.wait(_REPORT_SECONDS)
                except TimeoutExpired:
                    on_wait()
        finally:
            process.kill()
    raise LocalEnvironmentError(
        f"The environment is not complete after {_TIMEOUT_SECONDS / 60:.0f} minutes.",
        hint=f"tail {quote(str(log))}   # then run the same command again",
    )


def _read(log: Path) -> str:
    with log.open("rb") as file:
        return file.read(_MAX_LOG_BYTES).decode(errors="replace")


def _pip_error(log: Path) -> LocalEnvironmentError:
    if _UNREACHABLE in _read(log):
        return LocalEnvironmentError(
            f"The environment cannot be built: the package index does not respond. {_cause(log)}.",
            hint=f"pip config list   # index, proxy and certificate; the log: {quote(str(log))}",
        )
    return LocalEnvironmentError(
        f"The environment cannot be built: {_cause(log)}.",
        hint=f"less {quote(str(log))}   # the log of pip",
    )


def _cause(log: Path) -> str:
    """Return the last error in a log, or its last line."""
    lines = [line.strip() for line in _read(log).splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR: ")]
    last = (errors or lines or ["no output"])[-1]
    return last.removeprefix("ERROR: ")[:_MAX_CAUSE].rstrip(".")
