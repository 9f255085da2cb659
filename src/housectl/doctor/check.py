"""A check, and what is examined."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from housectl.contract.inputs import Inputs
from housectl.project.config import ProjectConfig
from housectl.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class CheckContext:
    """What is examined.

    Attributes:
        inputs: Checks the data and writes the inputs of an experiment.
    """

    project: ProjectConfig
    workspace: Workspace
    inputs: Callable[[], Inputs]


@dataclass(frozen=True)
class Check:
    """One line of doctor's table.

    Attributes:
        run: Returns what it found, raises a Concern, or fails as a command would.
        needs: The checks without which this one would only fail for their reasons.
    """

    name: str
    run: Callable[[], str]
    needs: Sequence[str] = ()
