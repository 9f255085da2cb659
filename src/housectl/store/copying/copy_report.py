"""The result of a copy between two stores, and the counts of a running one."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

from housectl.store.base import ChampionStore
from housectl.store.checking.problems import ProblemKind, StoreProblem
from housectl.store.copying.copy_conflicts import check_command


@dataclass(frozen=True, kw_only=True)
class CopyReport:
    """The result of copying a store.

    Attributes:
        source, target: Paths or URLs of the stores.
        copied: Number of copied bundles, and of copied files of the other folders, by folder.
        kept: The same for those that the target had already.
        size: Size of everything copied, in bytes.
        problems: Invalid and missing files of the source, which were not copied.
    """

    source: str
    target: str
    copied: Mapping[str, int]
    kept: Mapping[str, int]
    size: int
    problems: Sequence[StoreProblem]


class CopyTally:
    """Counts copied and kept files, and collects problems of the source, from any thread."""

    def __init__(self, source: ChampionStore) -> None:
        self._source = source
        self.copied: Counter[str] = Counter()
        self.kept: Counter[str] = Counter()
        self.size = 0
        self.problems: list[StoreProblem] = []
        self._lock = Lock()

    def add_copied(self, folder: str, size: int) -> None:
        """Count a bundle or file of this folder as copied."""
        with self._lock:
            self.copied[folder] += 1
            self.size += size

    def add_kept(self, folder: str) -> None:
        """Count a bundle or file that the target had already."""
        with self._lock:
            self.kept[folder] += 1

    def add_problem(self, kind: ProblemKind, key: str, cause: str) -> None:
        """Add the problem of a file or folder of the source, which is not copied."""
        problem = StoreProblem(
            kind=kind,
            file=self._source.location(key),
            cause=cause,
            hint=check_command(self._source),
        )
        with self._lock:
            self.problems.append(problem)
