"""Commands about whole champion stores: copy and check."""

from typing import TYPE_CHECKING, Annotated

import typer

import housectl
from housectl import ExitStatus
from housectl.cli.arguments import ProjectPath
from housectl.cli.decorators import renders
from housectl.cli.progress import progress_reporter
from housectl.cli.results import Row, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from housectl import StoreProblem


@renders
def copy(
    *,
    source: Annotated[str, typer.Argument(metavar="FROM", help="Path or URL of a store.")],
    target: Annotated[
        str,
        typer.Argument(
            metavar="TO", help="Path or URL of an empty store, or of an older copy of FROM."
        ),
    ],
) -> Table:
    """Copy what a store lacks from another one; for backups and migrations.

    Every byte is checked. Repeat the command to continue a killed copy, or to update a backup.
    Commands may write FROM meanwhile. Exits with status 5 if files of FROM are invalid.

    Example: housectl store copy .housectl/store s3://my-bucket/boston
    """
    with progress_reporter() as progress:
        report = housectl.copy_store(source, target, progress=progress)
    return Table(
        key="problems",
        rows=_rows(report.problems),
        empty="All files were valid.",
        heading={
            "from": report.source,
            "to": report.target,
            "copied": report.copied,
            "kept": report.kept,
            "bytes": report.size,
        },
        status=_status(report.problems),
    )


@renders
def check(
    *,
    store: Annotated[
        str | None,
        typer.Argument(
            metavar="STORE",
            envvar="HOUSECTL_STORE",
            help="Path or URL of a store; by default that of the project.",
            show_default=False,
        ),
    ] = None,
    project: ProjectPath = None,
) -> Table:
    """Check every byte of a store, and list missing, invalid and stray files.

    Exits with status 5 if the list is not empty.

    Example: housectl store check s3://my-bucket/boston
    """
    with progress_reporter() as progress:
        report = housectl.check_store(store, project=project, progress=progress)
    return Table(
        key="problems",
        rows=_rows(report.problems),
        empty="All files are valid.",
        heading={
            "store": report.store,
            "bundles": report.bundles,
            "history_entries": report.entries,
            "files": report.files,
            "bytes": report.size,
            "problem_count": report.problem_count,
        },
        notes=report.notes,
        status=_status(report.problems),
    )


def _rows(problems: "Sequence[StoreProblem]") -> list[Row]:
    return [
        {
            "problem": problem.kind,
            "file": problem.file,
            "cause": problem.cause,
            "hint": problem.hint,
        }
        for problem in problems
    ]


def _status(problems: "Sequence[StoreProblem]") -> ExitStatus:
    return ExitStatus.BUNDLE if problems else ExitStatus.OK
