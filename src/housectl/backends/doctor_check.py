"""A check of `housectl doctor`, and its context."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from housectl.contract.inputs import Inputs
from housectl.project.config import ProjectConfig
from housectl.workspace import Workspace


class CheckWarning(Exception):  # noqa: N818  # not an error: the command continues
    """A problem that does not stop a command.

    Args:
        message: One sentence or two.
        hint: A command that fixes the problem, if there is one.
    """

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, kw_only=True)
class CheckContext:
    """The project that is checked.

    Attributes:
        inputs: Function that checks the data and writes the inputs of an experiment.
    """

    project: ProjectConfig
    workspace: Workspace
    inputs: Callable[[], Inputs]


@dataclass(frozen=True)
class Check:
    """One line of doctor's table.

    Attributes:
        run: Function that returns its finding, raises a CheckWarning, or fails as a command would.
        needs: Names of the checks that must pass first; otherwise this one is skipped.
    """

    name: str
    run: Callable[[], str]
    needs: Sequence[str] = ()
