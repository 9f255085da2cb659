"""Generations of a search: a stopped search resumes in new sub-experiments. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from housectl.backends.katib.katib_objects import KatibExperiment
from housectl.backends.katib.labels_and_paths import EXPERIMENT_LABEL, GENERATION_LABEL
from housectl.backends.katib.plan.sub_experiments import (
    SubExperiment,
    family_of,
    sub_experiments,
)
from housectl.backends.katib.state.cluster_objects import ExperimentObjects
from housectl.backends.katib.state.trials import (
    numbered_trials,
    suggested_assignment,
    trial_objective,
)
from housectl.backends.katib.stop_marks import stop_reason
from housectl.contract.families import Family
from housectl.experiment import Experiment
from housectl.search.katib_texts import EarlierTrial


@dataclass(frozen=True, kw_only=True)
class Generation:
    """A generation of a search on the cluster.

    Attributes:
        active: Sub-experiments that were not stopped, ended or not.
        stop_reasons: Reasons for which the others were stopped.
        stopping: Stopped sub-experiments whose trials still run, because a stop is not complete.
        missing: Sub-experiments that were not created because a command was killed.
        remaining: Sub-experiments of the generation after a stop; empty when the budget is used
            up.
    """

    active: Sequence[KatibExperiment]
    stop_reasons: frozenset[str]
    stopping: Sequence[KatibExperiment]
    missing: Sequence[SubExperiment]
    remaining: Sequence[SubExperiment]


def newest_generation(experiment: Experiment, objects: ExperimentObjects) -> Generation:
    """Return the newest generation, which determines the state of the search."""
    newest = max(map(_generation_of, objects.sub_experiments))
    current = [item for item in objects.sub_experiments if _generation_of(item) == newest]
    stop_reasons = frozenset(filter(None, map(stop_reason, current)))
    return Generation(
        active=[item for item in current if not stop_reason(item)],
        stop_reasons=stop_reasons,
        stopping=[item for item in current if stop_reason(item) and _is_active(item, objects)],
        missing=_missing(experiment, objects, generation=newest),
        remaining=_missing(experiment, objects, generation=newest + 1) if stop_reasons else (),
    )


def earlier_trials(experiment: Experiment, objects: ExperimentObjects) -> list[EarlierTrial]:
    """Return all ended trials of a search with the algorithm `housectl`, for its resumption."""
    ended = (trial for trial in objects.trials if trial.has_ended)
    return [
        EarlierTrial(
            number=number,
            assignment={**suggested_assignment(experiment, number, trial)},
            mse=trial_objective(trial),
        )
        for number, trial in numbered_trials(experiment, ended)
    ]


def _missing(
    experiment: Experiment, objects: ExperimentObjects, *, generation: int
) -> Sequence[SubExperiment]:
    """Return the planned sub-experiments of a generation that the cluster does not have.

    Their budget is the rest that earlier generations left.
    """
    existing = {item.metadata.name for item in objects.sub_experiments}
    planned = sub_experiments(
        experiment,
        algorithm=objects.algorithm,
        ended=_ended_before(objects, generation),
        generation=generation,
    )
    return [item for item in planned if item.name not in existing]


def _ended_before(objects: ExperimentObjects, generation: int) -> Mapping[Family | None, int]:
    """Return the number of trials that ended in earlier generations, by their sub-experiments."""
    families = {
        item.metadata.name: family_of(item)
        for item in objects.sub_experiments
        if _generation_of(item) < generation
    }
    if not families:
        return {}
    owners = (
        trial.metadata.labels[EXPERIMENT_LABEL] for trial in objects.trials if trial.has_ended
    )
    return Counter(families[owner] for owner in owners if owner in families)


def _is_active(sub_experiment: KatibExperiment, objects: ExperimentObjects) -> bool:
    trials = objects.trials_of(sub_experiment)
    return not sub_experiment.has_ended and any(not trial.has_ended for trial in trials)


def _generation_of(sub_experiment: KatibExperiment) -> int:
    return int(sub_experiment.metadata.labels[GENERATION_LABEL])
