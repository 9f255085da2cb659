"""A check of `housectl doctor`, and its context."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from housectl.contract.inputs import Inputs
from housectl.project.config import ProjectConfig
from housectl.workspace import Workspace


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
