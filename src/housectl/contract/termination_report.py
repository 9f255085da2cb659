"""Last words: what a trainer in a pod leaves where Kubernetes, or a volume, keeps them."""

import os
from pathlib import Path

from housectl.contract.record import Record

# Kubernetes keeps 4096 bytes, and a character takes up to six of them: \u001b.
_LONGEST_ERROR = 600


class TerminationReport(Record, kw_only=True):
    """What is known of a run of the trainer that ended, or may end at any moment.

    Attributes:
        peak: The most memory that its container has used so far, in bytes.
        error: Why it failed, in one line.
    """

    peak: int | None = None
    error: str | None = None

    def rewrite(self, path: Path) -> None:
        """Replace the file's content in place, in less than 4096 bytes.

        Kubernetes mounts the very file, so that no other can be renamed over it. It is cut only
        after it was written: a kill between the two leaves it whole.

        Raises:
            OSError: It cannot be written.
        """
        short = TerminationReport(peak=self.peak, error=self.error and self.error[:_LONGEST_ERROR])
        data = short.to_json()
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            os.pwrite(file, data, 0)
            os.ftruncate(file, len(data))
        finally:
            os.close(file)
