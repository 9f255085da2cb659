"""Check of the reasons of excluded columns, which are published with each model."""

from collections.abc import Mapping
from pathlib import Path

from housectl.backends.doctor_check import CheckContext, CheckWarning
from housectl.contract.data.csv_format import CsvFormat
from housectl.contract.data.data_file import read_rows
from housectl.contract.data.table_header import column_names

# Shorter cells occur in reasons by chance.
_MIN_CELL_LENGTH = 4


def check_exclusions(context: CheckContext) -> str:
    """Warn if the reason of an excluded column has a cell of that column."""
    project = context.project
    path = context.workspace.path_of(project.data)
    revealing = _columns_with_cell_in_reason(path, project.csv_format, project.exclude)
    if revealing:
        raise CheckWarning(
            "Reasons under `exclude:` are published with each model, and have cells of the data: "
            f"those of {', '.join(sorted(revealing))}.",
            hint="Write the kind of the column as its reason, such as `text`, then tune again.",
        )
    return f"number of excluded columns: {len(project.exclude)}; no reason quotes a cell of them"


def _columns_with_cell_in_reason(
    path: Path, csv_format: CsvFormat, reasons: Mapping[str, str]
) -> set[str]:
    rows = read_rows(path, csv_format)
    _, header = next(rows)
    indices = [
        (name, index) for index, name in enumerate(column_names(header, reasons)) if name in reasons
    ]
    return {
        name
        for _, cells in rows
        for name, index in indices
        if _occurs(cells[index].strip(), reasons[name])
    }


def _occurs(cell: str, reason: str) -> bool:
    return len(cell) >= _MIN_CELL_LENGTH and cell in reason
