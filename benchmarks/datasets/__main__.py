"""Take all public data sets the whole way: `python -m benchmarks.datasets`.

An interrupted run resumes when it is started again.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.datasets.catalog import DATA_SETS, DataSet
from benchmarks.datasets.page import page
from benchmarks.datasets.whole_way import WholeWay, go_the_whole_way
from housectl.contract.files import atomic_write
from housectl_trainer.progress import report_progress
from tools.project_directory import ROOT

_RESULTS = ROOT / "build" / "datasets"
_PAGE = ROOT / "docs" / "datasets.md"


def main() -> None:
    """Take each data set without a result the whole way, then write the page."""
    missing = [data_set for data_set in DATA_SETS if not _result_file(data_set).exists()]
    for outcome in report_progress(_outcomes(missing), total=len(missing), what="data set"):
        atomic_write(_RESULTS / f"{outcome.name}.json", outcome.to_json())
    outcomes = [WholeWay.from_json(_result_file(each).read_bytes()) for each in DATA_SETS]
    atomic_write(_PAGE, page(outcomes).encode())


def _result_file(data_set: DataSet) -> Path:
    return _RESULTS / f"{data_set.name}.json"


def _outcomes(data_sets: list[DataSet]) -> Iterator[WholeWay]:
    _RESULTS.mkdir(parents=True, exist_ok=True)
    for data_set in data_sets:
        with tempfile.TemporaryDirectory() as directory:
            yield go_the_whole_way(data_set, Path(directory))


if __name__ == "__main__":
    main()
