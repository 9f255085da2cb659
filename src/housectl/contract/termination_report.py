"""Termination reports, which a trainer in a pod writes for Kubernetes and to the volume."""

import os
from pathlib import Path

from housectl.contract.record import Record

# Kubernetes keeps 4096 bytes, and a character needs up to six of them: \u001b.
_MAX_ERROR_LENGTH = 600


class TerminationReport(Record, kw_only=True):
    """The report of a trainer run that has ended or can be killed at any moment.

    Attributes:
        peak: Peak memory of the container so far, in bytes.
        error: Cause of the failure, in one line.
    """

    peak: int | None = None
    error: str | None = None

    def rewrite(self, path: Path) -> None:
        """Replace the file's content in place, with less than 4096 bytes.

        Kubernetes mounts the file itself, so an atomic rename is impossible. The file is truncated
        only after the write: after a kill between the two it still begins with the complete report.

        Raises:
            OSError: The file cannot be written.
        """
        short = TerminationReport(
            peak=self.peak, error=self.error and self.error[:_MAX_ERROR_LENGTH]
        )
        data = short.to_json()
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            os.pwrite(file, data, 0)
            os.ftruncate(file, len(data))
        finally:
            os.close(file)
