"""Why a trial is stuck or has failed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from housectl.backends.katib.diagnosis.cause import Cause, first_cause, sentence
from housectl.backends.katib.diagnosis.collector import collector_failed
from housectl.backends.katib.diagnosis.experiment_context import ExperimentContext
from housectl.backends.katib.diagnosis.job import JOB_PROBES
from housectl.backends.katib.diagnosis.job_run import JobRun
from housectl.backends.katib.diagnosis.metric import missing_metric, unusable_metric
from housectl.backends.katib.diagnosis.reconcile_errors import persistent_error
from housectl.backends.katib.katib_names import (
    COLLECTORS,
    INJECTED,
    INJECTION_LABEL,
    database_pods,
    webhook_pods,
)
from housectl.backends.katib.katib_objects import KatibTrial
from housectl.backends.katib.stop_marks import was_stopped
from housectl.kube.objects.base import true_condition
from housectl.kube.objects.events import Event, events_about, events_since

# Katib takes a few seconds to see that a job has ended.
_REPORT_PATIENCE = timedelta(seconds=10)
_COLLECTED = frozenset({"StdOut", "File"})


@dataclass(frozen=True, kw_only=True)
class _Case:
    """A trial, with its job."""

    observed: ExperimentContext
    trial: KatibTrial
    attempt: JobRun


def trial_cause(observed: ExperimentContext, trial: KatibTrial) -> Cause | None:
    """Return why a trial is stuck or has failed; None if it goes on, or has ended well."""
    if trial.has_succeeded and trial.objective is not None:
        return None
    case = _Case(observed=observed, trial=trial, attempt=observed.job_run(trial))
    return None if _is_ending(case) else first_cause(_PROBES, case)


def _is_ending(case: _Case) -> bool:
    """Whether the training has ended, well or not, and Katib is about to take notice of it."""
    job, trainer = case.attempt.job, case.attempt.termination
    ends = [each.last_transition_time for each in job.status.conditions] if job else []
    ends += [trainer.finished_at] if trainer else []
    recent = [end for end in ends if end and case.observed.now - end < _REPORT_PATIENCE]
    return bool(recent) and not case.trial.has_ended


def _stopped(case: _Case) -> Cause | None:
    """Return the cause of a trial that ended with its search, until it is deleted."""
    if not (case.attempt.job and was_stopped(case.attempt.job)):
        return None
    return Cause(
        message="it was stopped with its search.",
        hint=f"housectl tune --resume {case.observed.user_name}",
    )


def _job(case: _Case) -> Cause | None:
    return first_cause(JOB_PROBES, case.attempt)


def _collector(case: _Case) -> Cause | None:
    return collector_failed(case.attempt, case.observed.collector_log(case.trial))


def _metric(case: _Case) -> Cause | None:
    """Return why a training that ended well gave no number."""
    if true_condition(case.trial.status.conditions, "MetricsUnavailable"):
        if not case.observed.collector_log(case.trial):
            return _unknown_metric(case)
        return missing_metric(case.trial, case.attempt.trainer_lines, case.attempt.logs_command)
    if case.trial.has_succeeded:
        return unusable_metric(case.trial, case.attempt.trainer_lines, case.attempt.logs_command)
    return None


def _unknown_metric(case: _Case) -> Cause:
    """Return the cause of a missing metric where nobody knows what the trainer printed."""
    if case.attempt.pods:
        name = case.trial.spec.objective.objective_metric_name
        return Cause(
            message=f"no metric: Katib got no {name}=NUMBER.", hint=case.attempt.logs_command
        )
    return Cause(
        message="no metric, and its log is gone with its pod.",
        hint="housectl tune   # housectl logs shows what a trial prints while its pod is there",
    )


def _uncollected(case: _Case) -> Cause | None:
    """Return the cause of a trial that will not end, as its pod has no collector."""
    observed, seen = case.observed, case.attempt.pod
    if case.trial.has_ended or not (seen or _completion(case)):
        return None
    if case.trial.spec.metrics_collector.collector.kind not in _COLLECTED:
        return None
    # Without the webhook a pod gets neither a collector nor the label that the trial's pods have.
    if seen and any(each.name in COLLECTORS for each in seen.pod.spec.containers):
        return None
    label = f"label namespace {observed.namespace} {INJECTION_LABEL}={INJECTED}"
    return Cause(
        message="Katib will never get its metric, because its pod was made without Katib's metrics "
        "collector.",
        hint=f"{observed.target.cluster_kubectl(label)} --overwrite   # then housectl delete "
        f"{observed.user_name}, and tune again; if it had this label, Katib's webhook was away: "
        "housectl doctor",
    )


def _unread(case: _Case) -> Cause | None:
    """Return why Katib cannot read the metric of a job that has completed."""
    completion = _completion(case)
    if completion is None or case.trial.has_ended:
        return None
    error = persistent_error(events_since(_trial_events(case), completion))
    if error is None:
        return None
    return Cause(
        message=sentence("Katib cannot read its metric", error),
        hint=f"{database_pods(case.observed.target)}   # they have to run; then it goes on by "
        "itself",
    )


def _unnoticed(case: _Case) -> Cause | None:
    """Return the cause of a trial that does not end, although its job has for some seconds."""
    if case.trial.has_ended or not _completion(case):
        return None
    return Cause(
        message="the training has ended, but Katib's controller does not take notice of it.",
        hint=webhook_pods(case.observed.target),
    )


def _completion(case: _Case) -> datetime | None:
    """Return when the job has completed, if it has."""
    return case.attempt.job.status.completion_time if case.attempt.job else None


def _unreconciled(case: _Case) -> Cause | None:
    """Return why Katib cannot make the job of a trial."""
    if case.attempt.job or case.trial.has_ended:
        return None
    error = persistent_error(_trial_events(case))
    if error is None:
        return None
    return Cause(
        message=sentence("Katib cannot make its job", error),
        hint=case.observed.target.kubectl(f"describe trial {case.trial.metadata.name}"),
    )


def _trial_events(case: _Case) -> Sequence[Event]:
    """Return the events about the trial."""
    return events_about(case.observed.events, "Trial", case.trial.metadata)


def _failed(case: _Case) -> Cause | None:
    """Return what Katib itself says, when nothing is left that tells more."""
    conditions = case.trial.status.conditions
    end = true_condition(conditions, "Failed") or true_condition(conditions, "Killed")
    if end is None:
        return None
    said = end.message.rpartition("Job message: ")[2]
    return Cause(
        message=sentence("Katib says", said or end.reason),
        hint=case.observed.target.kubectl(f"describe trial {case.trial.metadata.name}"),
    )


# The trainer comes before the collector, which fails whenever the trainer does.
_PROBES: Sequence[Callable[[_Case], Cause | None]] = (
    _stopped,
    _job,
    _collector,
    _metric,
    _uncollected,
    _unread,
    _unnoticed,
    _unreconciled,
    _failed,
)
