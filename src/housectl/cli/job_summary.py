"""The summary of a job in GitHub Actions, a page of Markdown."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from housectl import ExitStatus
from housectl.cli.console import note
from housectl.cli.results import Result

_VARIABLE = "GITHUB_STEP_SUMMARY"
_MAX_BYTES = 65_536


@dataclass(frozen=True, kw_only=True)
class WithJobSummary:
    """A result with a text for the summary of the job, if the command runs in one.

    Attributes:
        markdown: The text.
    """

    result: Result
    markdown: str

    @property
    def notes(self) -> Sequence[str]:
        """Notes of the result."""
        return self.result.notes

    @property
    def status(self) -> ExitStatus:
        """Exit status of the result."""
        return self.result.status

    def show(self, *, as_json: bool) -> None:
        """Print the result, and append the text to the summary."""
        self.result.show(as_json=as_json)
        if path := os.environ.get(_VARIABLE):
            _append(path, f"{self.markdown}\n\n".encode()[:_MAX_BYTES])


def _append(path: str, content: bytes) -> None:
    """Append with one write. A summary that is not writable causes only a note."""
    try:
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK, 0o644)
        try:
            os.write(file, content)
        finally:
            os.close(file)
    except OSError as error:
        note(f"The job's summary was not written to {path}: {error.strerror}.")
