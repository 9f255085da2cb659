"""Functions that open and create projects."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from housectl.api.project import Project
from housectl.project_context import ProjectContext
from housectl.workspace import PROJECT_FILE, find_workspace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from housectl.scaffold.drafted_columns import DraftedColumn
    from housectl.waiting import ProgressReporter


@dataclass(frozen=True, kw_only=True)
class ProjectDraft:
    """A new housectl.yaml. Neither columns nor notes have a cell of an excluded column.

    Attributes:
        csv: Format of the data file, where it is not the default; the fields are those of `csv:`.
        columns: The choice for each column, with its reason.
        notes: Points to review.
        workflows: Workflows and scripts that were written with it.
    """

    path: Path
    csv: "Mapping[str, object]"
    columns: "tuple[DraftedColumn, ...]"
    notes: tuple[str, ...]
    workflows: tuple[Path, ...] = ()


def open(  # noqa: A001
    path: "str | PathLike[str] | None" = None,
    *,
    store: "str | PathLike[str] | None" = None,
    settings: "Mapping[str, object] | None" = None,
    progress: "ProgressReporter | None" = None,
) -> "Project":
    """Open a project.

    Args:
        path: A housectl.yaml or its directory; by default the nearest one, here or above.
        store: The champion store's directory or URL; replaces the file's `store`.
        settings: Values that replace those of the file, by dotted field.
        progress: Receives the progress of experiments; None for silence.

    Raises:
        ProjectError: There is no housectl.yaml, or its `store` is invalid.
        UsageError: `store` is a malformed URL.

    >>> import housectl
    >>> housectl.open(settings={"budget.trials": 1}).config.budget.trials
    1
    """
    workspace = find_workspace(
        None if path is None else Path(path), None if store is None else str(store)
    )
    return Project(ProjectContext(workspace=workspace, settings=settings or {}, progress=progress))


def init(
    data: "str | PathLike[str]",
    target: str,
    *,
    output_dir: "str | PathLike[str]" = ".",
    encoding: str | None = None,
    github: bool = False,
) -> "ProjectDraft":
    """Write a housectl.yaml for a data file. The draft is complete: `tune` accepts it.

    Args:
        data: A CSV or Parquet file with a header.
        target: The column to predict.
        output_dir: The directory of the new file.
        encoding: Encoding of the file; by default UTF-8 or UTF-16, as its content shows.
        github: Also write the files of `init_github`.

    Raises:
        DataError: The file cannot be read, has no header, is too short, or has no usable column.
        UsageError: The column is missing, the encoding is unknown, or there is such a file already.

    >>> import housectl
    >>> housectl.init("data.csv", "MEDV", output_dir="drafts").path.name
    'housectl.yaml'
    """
    from housectl.scaffold.draft import draft_project, write_draft
    from housectl.scaffold.workflow_files import draft_workflows, write_workflows

    file = Path(output_dir) / PROJECT_FILE
    drafted = draft_project(Path(data), target, root=file.parent, encoding=encoding)
    workflows = draft_workflows(file, data=Path(data)) if github else ()
    write_draft(drafted, file)
    write_workflows(workflows)
    return ProjectDraft(
        path=file,
        csv=drafted.csv_format.differences,
        columns=drafted.columns,
        notes=drafted.notes,
        workflows=tuple(each.path for each in workflows),
    )


def init_github(path: "str | PathLike[str] | None" = None) -> tuple[Path, ...]:
    """Write workflows of GitHub Actions for a project, and the scripts for its server's host.

    Args:
        path: A housectl.yaml or its directory; by default the nearest one, here or above.

    Returns:
        The written files.

    Raises:
        ProjectError: There is no housectl.yaml, or it is invalid.
        UsageError: The project is in no Git repository, or there is such a file already.
    """
    from housectl.scaffold.workflow_files import draft_workflows, write_workflows

    project = open(path)
    root = project.context.workspace.root
    files = draft_workflows(root / PROJECT_FILE, data=root / project.config.data)
    write_workflows(files)
    return tuple(file.path for file in files)
