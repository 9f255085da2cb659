"""The members of an experiment: one Katib Experiment for each family. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from housectl.backends.katib.katib_objects import KatibExperiment
from housectl.backends.katib.naming import FAMILY_LABEL
from housectl.contract.families import Family
from housectl.experiment import Budget, Experiment

# Katib denies longer ones.
MAX_NAME_LENGTH = 40


@dataclass(frozen=True, kw_only=True)
class SubExperiment:
    """One Katib Experiment of an experiment: a family's share of the budget.

    Attributes:
        round: 1 at first, more when a stopped search goes on in another one.
    """

    name: str
    family: Family
    budget: Budget
    workers: int
    generation: int


def sub_experiments(
    experiment: Experiment,
    *,
    ended: Mapping[Family, int] = MappingProxyType({}),
    generation: int = 1,
) -> list[SubExperiment]:
    """Return the Katib Experiments of an experiment: one for each family, the budget divided.

    Args:
        experiment: The search.
        ended: How many trials each family has had in earlier rounds.
        round_number: How many times the search has been begun, this one included.
    """
    families = experiment.families
    left = {
        family: _share(experiment.budget.trials, families, family) - ended.get(family, 0)
        for family in families
    }
    return [
        SubExperiment(
            name=_name(experiment, family, generation),
            family=family,
            budget=replace(experiment.budget, trials=left[family]),
            workers=_share(experiment.workers, families, family) or 1,
            generation=generation,
        )
        for family in families
        if left[family] > 0
    ]


def family_of(member: KatibExperiment) -> Family:
    """Return the family that a member searches."""
    return Family(member.metadata.labels[FAMILY_LABEL])


def _name(experiment: Experiment, family: Family, round_number: int) -> str:
    alone = len(experiment.families) == 1
    suffix = "" if alone else f"-{family.definition.short_name}"
    if round_number == 1:
        return f"{experiment.name}{suffix}"
    ending = f"{suffix}-{round_number}"
    return f"{experiment.name[: MAX_NAME_LENGTH - len(ending)]}{ending}"


def _share(number: int, families: Sequence[Family], family: Family) -> int:
    """Return a family's share, as if the families took turns."""
    return len(range(families.index(family), number, len(families)))
