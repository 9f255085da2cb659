"""Check of a plan before anything runs: refuses endless trials, and warns of large models."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from housectl.contract.families import Family
from housectl.contract.inputs import Inputs
from housectl.contract.regular_files import MAX_MODEL_BYTES
from housectl.errors import ModelTooLargeError, TaskFailedError, TrialTooLongError
from housectl.estimation.estimator import (
    estimate_default_trial,
    estimate_search,
    quick_bound,
)
from housectl.estimation.model_size import LARGE_BYTES, SMALLER_MODELS_HINT
from housectl.estimation.search_estimate import SearchEstimate
from housectl.estimation.trainer_process import can_estimate
from housectl.experiment import Experiment
from housectl.quantities import format_seconds

# From this part of the limit on, the slowest trials of a space reach the limit.
_NEAR_LIMIT = 0.5
# Nodes of a cluster may be faster than this machine, but hardly so much.
_ELSEWHERE = 10.0
_QUICK_FAMILY = Family.XGBOOST


@dataclass(frozen=True)
class PlanWarning:
    """A problem of a plan that does not prevent it, with a hint."""

    message: str
    hint: str


@dataclass(frozen=True, kw_only=True)
class PlanCheck:
    """Checks plans with estimates on this machine.

    Attributes:
        is_local: True if trials run on this machine. Those of a cluster are refused only if their
            estimate is ten times their limit.
    """

    is_local: bool

    def check(self, experiment: Experiment, inputs: Inputs) -> SearchEstimate:
        """Return the estimate of a plan.

        Raises:
            TrialTooLongError: A typical trial of a family cannot end within its time limit.
            ModelTooLargeError: A model of a family can be larger than a bundle may be.
            TaskFailedError: The trainer failed.
        """
        estimate = estimate_search(experiment, inputs, is_local=self.is_local)
        for family, each in estimate.families.items():
            if each.largest_model > MAX_MODEL_BYTES:
                raise _too_large_error(family, each.largest_model)
        limit = experiment.limits.seconds
        slack = 1.0 if self.is_local else _ELSEWHERE
        if limit is not None:
            for family, each in estimate.families.items():
                if each.trial_seconds > limit * slack:
                    raise _too_long_error(experiment, family, estimate, inputs)
        return estimate

    def warnings(self, experiment: Experiment, estimate: SearchEstimate) -> Iterator[PlanWarning]:
        """Yield the problems of a plan that was not refused."""
        limit = experiment.limits.seconds or math.inf
        for family, each in estimate.families.items():
            if each.trial_seconds > limit * _NEAR_LIMIT:
                yield PlanWarning(
                    f"Slow trials of {family} may time out: a typical one takes about "
                    f"{format_seconds(each.trial_seconds)}, and the limit is "
                    f"{format_seconds(limit)}.",
                    f"housectl tune {_longer_limit(each.trial_seconds)}",
                )
            if each.largest_model > LARGE_BYTES:
                yield PlanWarning(
                    f"A bundle of {family} may have up to {each.largest_model / 1e6:.0f} MB, "
                    "so that servers start slowly.",
                    SMALLER_MODELS_HINT,
                )

    def run(
        self,
        experiment: Experiment,
        inputs: Inputs,
        *,
        report: Callable[[SearchEstimate], None],
        warn: Callable[[str, str], None],
    ) -> None:
        """Check a plan whose trials may be slow, as far as this machine can.

        Args:
            experiment: The plan.
            inputs: Its data.
            report: Receives the estimate.
            warn: Receives each problem that does not prevent the plan, with its hint.

        Raises:
            TrialTooLongError: A typical trial of a family cannot end within its time limit.
            ModelTooLargeError: A model of a family can be larger than a bundle may be.
        """
        if quick_bound(experiment, inputs) is not None:
            return
        if not can_estimate():
            warn(
                "The time of the trials is not estimated: training libraries are missing here.",
                "pip install 'housectl[local]'",
            )
            return
        try:
            estimate = self.check(experiment, inputs)
        except TaskFailedError as error:
            warn(error.message, error.hint)
            return
        report(estimate)
        for warning in self.warnings(experiment, estimate):
            warn(warning.message, warning.hint)


def _too_large_error(family: Family, size: float) -> ModelTooLargeError:
    return ModelTooLargeError(
        f"A model of {family} can have {size / 1e9:.1f} GB: bundles have at most "
        f"{MAX_MODEL_BYTES / 1e9:.1f} GB.",
        hint=SMALLER_MODELS_HINT,
    )


def _too_long_error(
    experiment: Experiment, family: Family, estimate: SearchEstimate, inputs: Inputs
) -> TrialTooLongError:
    limit = experiment.limits.seconds or math.inf
    seconds = estimate.families[family].trial_seconds
    longer = _longer_limit(max(each.trial_seconds for each in estimate.families.values()))
    others = "or fewer trees or a lower max_samples under `space:`, or a cluster with more cores"
    quick = math.inf if family is _QUICK_FAMILY else estimate_default_trial(_QUICK_FAMILY, inputs)
    hint = f"housectl tune {longer}   # {others}"
    if quick < limit * _NEAR_LIMIT:
        hint = (
            f"{_other_family()}   # about {format_seconds(quick)} for each trial; "
            f"or {longer}, {others}"
        )
    return TrialTooLongError(
        f"Trials of {family} cannot end in time: a typical one takes about "
        f"{format_seconds(seconds)} on this machine, and `limits.time` is "
        f"{format_seconds(limit)}.",
        hint=hint,
    )


def _longer_limit(seconds: float) -> str:
    """Return the flag of a limit in which nearly all trials of a space end."""
    return f"--trial-time {math.ceil(3 * seconds / 60)}m"


def _other_family() -> str:
    return f"housectl tune --family {_QUICK_FAMILY} --space default"
