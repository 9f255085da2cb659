"""Why an experiment is stuck, or has ended without a usable trial."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta

from housectl.backends.katib.diagnosis.cause import Cause, first_cause
from housectl.backends.katib.diagnosis.experiment_context import ExperimentContext
from housectl.backends.katib.diagnosis.reconcile_errors import reconcile_error
from housectl.backends.katib.diagnosis.suggestion import (
    no_suggestions,
    refused_search,
    service_not_running,
    unready_service,
)
from housectl.backends.katib.diagnosis.trial import trial_cause
from housectl.backends.katib.katib_names import webhook_pods

# Katib's controller takes up a new experiment within a second, and makes its Suggestion at once.
_CONTROLLER_PATIENCE = timedelta(seconds=10)
# A deleted trial is made again within a second, if at all.
_DELETION_PATIENCE = timedelta(seconds=20)


def experiment_cause(observed: ExperimentContext) -> Cause | None:
    """Return why an experiment is stuck, or has ended without a usable trial; None if it has not.

    A Failed one is always explained, also if it has a usable trial.
    """
    if observed.experiment.has_failed:
        return refused_search(observed) or _no_trial(observed)
    if observed.experiment.has_ended:
        usable = any(trial.objective is not None for trial in observed.trials)
        return None if usable else _no_trial(observed)
    return first_cause(_PROBES, observed)


def _controller_not_running(observed: ExperimentContext) -> Cause | None:
    """Return the cause if nobody takes up the experiment, or goes on after its first step."""
    made = observed.experiment.metadata.creation_timestamp or observed.now
    started = observed.experiment.status.conditions and observed.suggestion
    if started or observed.trials or observed.now - made < _CONTROLLER_PATIENCE:
        return None
    lacks = "suggestion" if observed.experiment.status.conditions else "status"
    return Cause(
        message=f"Katib's controller does not take it up: it has no {lacks}, more than "
        f"{_CONTROLLER_PATIENCE.seconds} s after it was made.",
        hint=webhook_pods(observed.target),
    )


def _trial_deleted(observed: ExperimentContext) -> Cause | None:
    """Return the cause if Katib waits for a trial that is not there any more."""
    known = {trial.metadata.name for trial in observed.trials}
    lost = [name for name in observed.experiment.status.running_trial_list if name not in known]
    if not lost or observed.idle_time < _DELETION_PATIENCE:
        return None
    return Cause(
        message=f"Katib waits for the trial {lost[0]}, which was deleted.",
        hint=f"housectl stop {observed.user_name}   # what has ended well stays usable",
    )


def _trials_stuck(observed: ExperimentContext) -> Cause | None:
    """Return the cause if every trial that should be running is stuck."""
    active = observed.active_trials
    causes = [cause for trial in active if (cause := trial_cause(observed, trial))]
    if not causes or len(causes) < len(active):
        return None
    all_of_them = f"All {len(active)} running trials are" if active[1:] else "The running trial is"
    return _counted(f"{all_of_them} stuck", causes)


def _no_trial(observed: ExperimentContext) -> Cause | None:
    """Return why an experiment ended without a usable trial."""
    useless = [trial for trial in observed.trials if trial.objective is None]
    causes = [cause for trial in useless if (cause := trial_cause(observed, trial))]
    if not causes:
        return None
    return _counted(f"{len(causes)} of {len(observed.trials)} trials failed", causes)


def _counted(what: str, causes: Sequence[Cause]) -> Cause:
    """Return one cause for many, the most frequent first and with its hint."""
    counts = Counter(cause.message.rstrip(".") for cause in causes).most_common()
    told = counts[0][0] if len(counts) == 1 else "; ".join(f"{n} x {why}" for why, n in counts)
    frequent = next(cause for cause in causes if cause.message.rstrip(".") == counts[0][0])
    return Cause(message=f"{what}: {told}.", hint=frequent.hint)


_PROBES: Sequence[Callable[[ExperimentContext], Cause | None]] = (
    _controller_not_running,
    refused_search,
    service_not_running,
    unready_service,
    reconcile_error,
    _trial_deleted,
    no_suggestions,
    _trials_stuck,
)
