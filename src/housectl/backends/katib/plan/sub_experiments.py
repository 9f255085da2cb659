"""The sub-experiments of an experiment: its Katib Experiments. Pure.

With the algorithm `housectl`, one Katib Experiment searches all families. Katib's own algorithms
know no conditional parameters, so each family has a Katib Experiment and a share of the budget.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from housectl.backends.katib.katib_objects import KatibExperiment
from housectl.backends.katib.labels_and_paths import FAMILY_LABEL
from housectl.contract.families import Family
from housectl.experiment import Budget, Experiment
from housectl.search.katib_texts import ALGORITHM

# Katib rejects longer names.
MAX_NAME_LENGTH = 40


@dataclass(frozen=True, kw_only=True)
class SubExperiment:
    """One Katib Experiment of an experiment.

    Attributes:
        family: Its only family; None if it has all families of the experiment.
        generation: 1 at first, and one more after each resumed stop.
    """

    name: str
    family: Family | None
    budget: Budget
    workers: int
    generation: int


def sub_experiments(
    experiment: Experiment,
    *,
    algorithm: str,
    ended: Mapping[Family | None, int] = MappingProxyType({}),
    generation: int = 1,
) -> list[SubExperiment]:
    """Return the Katib Experiments of an experiment, without those that have no trials left.

    Args:
        experiment: The search.
        algorithm: The algorithm that chooses assignments.
        ended: Number of trials that ended in earlier generations, by the family of their
            sub-experiment.
        generation: Number of the generation.
    """
    planned = (
        [_of_all_families(experiment, ended.get(None, 0), generation)]
        if searches_all_families(algorithm)
        else [
            _of_family(experiment, family, ended.get(family, 0), generation)
            for family in experiment.families_in_turn
        ]
    )
    return [item for item in planned if item.budget.trials > 0]


def searches_all_families(algorithm: str) -> bool:
    """Return True if one Katib Experiment with this algorithm searches all families."""
    return algorithm == ALGORITHM


def family_of(sub_experiment: KatibExperiment) -> Family | None:
    """Return the only family of a sub-experiment; None if it has all families."""
    label = sub_experiment.metadata.labels.get(FAMILY_LABEL)
    return None if label is None else Family(label)


def _of_all_families(experiment: Experiment, ended: int, generation: int) -> SubExperiment:
    return SubExperiment(
        name=_name(experiment, "", generation),
        family=None,
        budget=replace(experiment.budget, trials=experiment.budget.trials - ended),
        workers=experiment.workers,
        generation=generation,
    )


def _of_family(
    experiment: Experiment, family: Family, ended: int, generation: int
) -> SubExperiment:
    trials = experiment.turns_before(experiment.budget.trials, family) - ended
    single = len(experiment.families_in_turn) == 1
    return SubExperiment(
        name=_name(experiment, "" if single else f"-{family.definition.short_name}", generation),
        family=family,
        budget=replace(experiment.budget, trials=trials),
        workers=experiment.turns_before(experiment.workers, family) or 1,
        generation=generation,
    )


def _name(experiment: Experiment, suffix: str, generation: int) -> str:
    if generation == 1:
        return f"{experiment.name}{suffix}"
    ending = f"{suffix}-{generation}"
    return f"{experiment.name[: MAX_NAME_LENGTH - len(ending)]}{ending}"
