"""Check of the reasons of excluded columns, which are published with each model."""

import csv
from collections.abc import Mapping
from pathlib import Path

from housectl.backends.doctor_check import CheckContext, CheckWarning

# Shorter cells occur in reasons by chance.
_MIN_CELL_LENGTH = 4


def check_exclusions(context: CheckContext) -> str:
    """Warn if the reason of an excluded column has a cell of that column."""
    project = context.project
    revealing = _columns_with_cell_in_reason(context.workspace.root / project.data, project.exclude)
    if revealing:
        raise CheckWarning(
            "Reasons under `exclude:` are published with each model, and have cells of the data: "
            f"those of {', '.join(sorted(revealing))}.",
            hint="Write the kind of the column as its reason, such as `text`, then tune again.",
        )
    return f"{len(project.exclude)} excluded columns, no reason has a cell of the data"


def _columns_with_cell_in_reason(path: Path, reasons: Mapping[str, str]) -> set[str]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return {
            name
            for row in csv.DictReader(file)
            for name, reason in reasons.items()
            if _occurs(row.get(name, "").strip(), reason)
        }


def _occurs(cell: str, reason: str) -> bool:
    return len(cell) >= _MIN_CELL_LENGTH and cell in reason
