"""The sub-experiments of an experiment: one Katib Experiment for each family. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from housectl.backends.katib.katib_objects import KatibExperiment
from housectl.backends.katib.labels_and_paths import FAMILY_LABEL
from housectl.contract.families import Family
from housectl.experiment import Budget, Experiment

# Katib rejects longer names.
MAX_NAME_LENGTH = 40


@dataclass(frozen=True, kw_only=True)
class SubExperiment:
    """One Katib Experiment of an experiment: a family's share of the budget.

    Attributes:
        generation: 1 at first, and one more after each resumed stop.
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
        ended: Number of each family's trials that ended in earlier generations.
        generation: Number of the generation.
    """
    families, trials = experiment.families_in_turn, experiment.budget.trials
    remaining = {
        family: experiment.turns_before(trials, family) - ended.get(family, 0)
        for family in families
    }
    return [
        SubExperiment(
            name=_name(experiment, family, generation),
            family=family,
            budget=replace(experiment.budget, trials=remaining[family]),
            workers=experiment.turns_before(experiment.workers, family) or 1,
            generation=generation,
        )
        for family in families
        if remaining[family] > 0
    ]


def family_of(sub_experiment: KatibExperiment) -> Family:
    """Return the family that a sub-experiment searches."""
    return Family(sub_experiment.metadata.labels[FAMILY_LABEL])


def _name(experiment: Experiment, family: Family, generation: int) -> str:
    single = len(experiment.families_in_turn) == 1
    suffix = "" if single else f"-{family.definition.short_name}"
    if generation == 1:
        return f"{experiment.name}{suffix}"
    ending = f"{suffix}-{generation}"
    return f"{experiment.name[: MAX_NAME_LENGTH - len(ending)]}{ending}"
