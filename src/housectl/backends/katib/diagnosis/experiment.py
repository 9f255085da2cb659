"""Diagnosis of an experiment that is stuck or has ended without a usable trial: its probes."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from housectl.backends.katib.diagnosis.cause import Cause, decisive_cause, first_cause
from housectl.backends.katib.diagnosis.experiment_context import ExperimentContext
from housectl.backends.katib.diagnosis.reconcile_errors import reconcile_error
from housectl.backends.katib.diagnosis.suggestion import (
    no_suggestions,
    search_rejected,
    service_not_ready,
    service_not_running,
)
from housectl.backends.katib.diagnosis.trial import trial_cause
from housectl.backends.katib.katib_installation import controller_hint

# Katib's controller creates the Suggestion of a new experiment within a second.
_CONTROLLER_GRACE_TIME = timedelta(seconds=10)
# Katib recreates a deleted trial within a second or never.
_DELETION_GRACE_TIME = timedelta(seconds=20)


def search_cause(contexts: Sequence[ExperimentContext]) -> Cause | None:
    """Return the causes of the Katib experiments of one search as one cause."""
    causes = {
        context.experiment.metadata.name: cause
        for context in contexts
        if (cause := experiment_cause(context))
    }
    if not causes:
        return None
    decisive = decisive_cause([*causes.values()])
    if all(cause.message == decisive.message for cause in causes.values()):
        return decisive
    messages = (f"{name}: {cause.message}" for name, cause in causes.items())
    return replace(decisive, message=" ".join(messages))


def experiment_cause(context: ExperimentContext) -> Cause | None:
    """Return the cause of an experiment that is stuck or has ended without a usable trial.

    A failed experiment always has a cause, even if it has a usable trial.
    """
    if context.experiment.has_failed:
        return search_rejected(context) or _trials_failed(context)
    if context.experiment.has_ended:
        is_usable = any(trial.objective is not None for trial in context.trials)
        return None if is_usable else _trials_failed(context)
    cause = first_cause(_PROBES, context)
    return _with_stuck_trials(context, cause) if cause and cause.is_temporary else cause


def _with_stuck_trials(context: ExperimentContext, cause: Cause) -> Cause:
    """Return a temporary cause with the lasting one of the trials that hold the resources."""
    stuck = _trials_stuck(context)
    if stuck is None or stuck.is_temporary:
        return cause
    return replace(stuck, message=f"{cause.message} {stuck.message}")


def _controller_not_running(context: ExperimentContext) -> Cause | None:
    """Return the cause of an experiment that Katib's controller does not process."""
    created = context.experiment.metadata.creation_timestamp or context.now
    conditions = context.experiment.status.conditions
    is_processed = (conditions and context.suggestion) or context.trials
    if is_processed or context.now - created < _CONTROLLER_GRACE_TIME:
        return None
    missing = "Suggestion" if conditions else "status"
    return Cause(
        message=f"Katib's controller has not picked up the experiment: no {missing} after "
        f"{_CONTROLLER_GRACE_TIME.seconds} s.",
        hint=controller_hint(context.target),
    )


def _trial_deleted(context: ExperimentContext) -> Cause | None:
    """Return the cause of an experiment that waits for a deleted trial."""
    existing = {trial.metadata.name for trial in context.trials}
    running = context.experiment.status.running_trial_list
    deleted = [name for name in running if name not in existing]
    if not deleted or context.idle_time < _DELETION_GRACE_TIME:
        return None
    return Cause(
        message=f"Katib waits for the trial {deleted[0]}, which was deleted.",
        hint=f"housectl stop {context.user_name}   # finished trials stay usable",
    )


def _trials_stuck(context: ExperimentContext) -> Cause | None:
    """Return the cause of an experiment whose active trials are all stuck."""
    trials = context.active_trials
    causes = [cause for trial in trials if (cause := trial_cause(context, trial))]
    if not causes or len(causes) < len(trials):
        return None
    subject = f"All {len(trials)} running trials are" if trials[1:] else "The running trial is"
    return _combine(f"{subject} stuck", causes)


def _trials_failed(context: ExperimentContext) -> Cause | None:
    """Return the cause of an ended experiment, from its trials without an objective."""
    failed = [trial for trial in context.trials if trial.objective is None]
    causes = [cause for trial in failed if (cause := trial_cause(context, trial))]
    if not causes:
        return None
    return _combine(f"{len(causes)} of {len(context.trials)} trials failed", causes)


def _combine(problem: str, causes: Sequence[Cause]) -> Cause:
    """Return one cause for many, with counts and the hint of the decisive one."""
    decisive = decisive_cause(causes)
    counts = Counter(cause.message.rstrip(".") for cause in causes).most_common()
    reasons = (
        counts[0][0]
        if len(counts) == 1
        else "; ".join(f"{count} x {message}" for message, count in counts)
    )
    return replace(decisive, message=f"{problem}: {reasons}.")


_PROBES: Sequence[Callable[[ExperimentContext], Cause | None]] = (
    _controller_not_running,
    search_rejected,
    service_not_running,
    service_not_ready,
    reconcile_error,
    _trial_deleted,
    no_suggestions,
    _trials_stuck,
)
