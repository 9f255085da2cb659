"""Makes the estimate of a search on this machine."""

from collections.abc import Sequence

from housectl.contract.families import Family
from housectl.contract.inputs import Inputs
from housectl.contract.parameters import Assignment
from housectl.contract.time_protocol import TimeRequest, TrialTime
from housectl.cores import usable_cores
from housectl.estimation.assignments import typical_assignment
from housectl.estimation.model_size import largest_model_bytes
from housectl.estimation.search_estimate import FamilyEstimate, SearchEstimate
from housectl.estimation.trainer_process import estimate_times
from housectl.experiment import Experiment
from housectl.search_spaces import default_space

# Seconds of a trial for each tree and each byte of the data: more than measured.
_TREE_BYTE_SECONDS = 1.5e-6
# An estimate takes two seconds, so a plan that is far from its limit needs none.
_FAR_FROM_LIMIT = 20
_QUICK_SECONDS = 30.0


def quick_bound(experiment: Experiment, inputs: Inputs) -> float | None:
    """Return an upper bound of a typical trial's seconds, without any fit.

    It is None unless the data is so small that each trial ends far within its limit.
    """
    trees = max(
        family.definition.trees_of(typical_assignment(space))
        for family, space in experiment.spaces.items()
    )
    bound = _TREE_BYTE_SECONDS * trees * inputs.data.stat().st_size
    limit = experiment.limits.seconds
    quick = _QUICK_SECONDS if limit is None else min(_QUICK_SECONDS, limit / _FAR_FROM_LIMIT)
    return bound if bound <= quick else None


def estimate_search(experiment: Experiment, inputs: Inputs, *, is_local: bool) -> SearchEstimate:
    """Estimate the time of a search's trials, and the size of its models.

    Args:
        experiment: The search.
        inputs: Its data.
        is_local: True if its trials share the cores of this machine.

    Raises:
        TaskFailedError: The trainer failed.
    """
    families = experiment.families_in_turn
    typical = [typical_assignment(experiment.spaces[family]) for family in families]
    times = _estimate(inputs, families, typical)
    trials = experiment.budget.trials
    return SearchEstimate(
        families={
            family: FamilyEstimate(
                trials=experiment.turns_before(trials, family),
                trial_seconds=time.trial_seconds,
                largest_model=largest_model_bytes(
                    family, experiment.spaces[family], rows=time.rows
                ),
            )
            for family, time in zip(families, times, strict=True)
        },
        parallel=min(experiment.workers, usable_cores()) if is_local else experiment.workers,
    )


def estimate_default_trial(family: Family, inputs: Inputs) -> float:
    """Return the seconds of a typical trial in a family's default space.

    Raises:
        TaskFailedError: The trainer failed.
    """
    (time,) = _estimate(inputs, [family], [typical_assignment(default_space(family))])
    return time.trial_seconds


def _estimate(
    inputs: Inputs, families: Sequence[Family], assignments: Sequence[Assignment]
) -> list[TrialTime]:
    requests = [
        TimeRequest(family=family, assignment=dict(assignment))
        for family, assignment in zip(families, assignments, strict=True)
    ]
    return estimate_times(inputs.path, requests)
