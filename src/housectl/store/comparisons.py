"""Comparisons: the challengers that were compared on the same held-out rows."""

from housectl.contract.path_names import Digest
from housectl.contract.record import SCHEMA_VERSION, Record
from housectl.store.layout import comparison_folder, comparison_key
from housectl.store.storage import FileStorage


class ComparisonRecord(Record, kw_only=True):
    """A challenger that was compared on held-out rows; equal comparisons have equal bytes.

    Attributes:
        holdout_rows: sha256 of the held-out rows' contents.
        challenger: Digest of the challenger's bundle.
    """

    schema_version: int = SCHEMA_VERSION
    holdout_rows: Digest
    challenger: Digest


class Comparisons(FileStorage):
    """Records of comparisons, which are never changed or deleted."""

    def add_comparison(self, challenger: str, *, holdout_rows: str) -> int:
        """Record a comparison, and return the number of challengers compared on the same rows.

        It costs one listing of these rows' comparisons, and one write for a new challenger.

        Args:
            challenger: Digest of the challenger's bundle.
            holdout_rows: sha256 of the held-out rows' contents.

        Raises:
            LocalEnvironmentError: The store is unavailable, full or not writable.
        """
        key = comparison_key(holdout_rows, challenger)
        recorded = {*self._names(comparison_folder(holdout_rows))}
        name = key.rpartition("/")[2]
        if name not in recorded:
            record = ComparisonRecord(holdout_rows=holdout_rows, challenger=challenger)
            self._create(key, record.to_json())
        return len(recorded | {name})
