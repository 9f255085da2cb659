"""Diagnosis of a trial that is stuck or has failed: its probes, and the causes from its status."""

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
from housectl.backends.katib.katib_installation import (
    COLLECTORS,
    controller_hint,
    database_pods_command,
    label_command,
)
from housectl.backends.katib.katib_objects import KatibTrial
from housectl.backends.katib.stop_marks import was_stopped
from housectl.kube.objects.base import true_condition
from housectl.kube.objects.events import Event, events_about, events_since

# Katib needs a few seconds to notice the end of a job.
_GRACE_TIME = timedelta(seconds=10)
_COLLECTED_KINDS = frozenset({"StdOut", "File"})


@dataclass(frozen=True, kw_only=True)
class _TrialContext:
    """A trial with its experiment and its job run."""

    experiment: ExperimentContext
    trial: KatibTrial
    run: JobRun

    @property
    def job_completion(self) -> datetime | None:
        """Time at which the job completed; None if it has not."""
        return self.run.job.status.completion_time if self.run.job else None

    @property
    def events(self) -> Sequence[Event]:
        """The events about the trial."""
        return events_about(self.experiment.events, "Trial", self.trial.metadata)

    @property
    def describe_command(self) -> str:
        """Command that describes the trial."""
        return self.experiment.target.kubectl(f"describe trial {self.trial.metadata.name}")


def trial_cause(experiment: ExperimentContext, trial: KatibTrial) -> Cause | None:
    """Return the cause of a trial that is stuck or has failed."""
    if trial.has_succeeded and trial.objective is not None:
        return None
    context = _TrialContext(experiment=experiment, trial=trial, run=experiment.job_run(trial))
    return None if _is_ending(context) else first_cause(_PROBES, context)


def _is_ending(context: _TrialContext) -> bool:
    """Return True if the training has just ended, and Katib may not have noticed yet."""
    job, termination = context.run.job, context.run.termination
    ends = [condition.last_transition_time for condition in job.status.conditions] if job else []
    ends += [termination.finished_at] if termination else []
    now = context.experiment.now
    return not context.trial.has_ended and any(end and now - end < _GRACE_TIME for end in ends)


def _stopped(context: _TrialContext) -> Cause | None:
    """Return the cause of a trial that was stopped with its search and is not yet deleted."""
    if not (context.run.job and was_stopped(context.run.job)):
        return None
    return Cause(
        message="it was stopped with its search.",
        hint=f"housectl tune --resume {context.experiment.user_name}",
    )


def _job(context: _TrialContext) -> Cause | None:
    return first_cause(JOB_PROBES, context.run)


def _collector(context: _TrialContext) -> Cause | None:
    return collector_failed(context.run, context.experiment.collector_log(context.trial))


def _metric(context: _TrialContext) -> Cause | None:
    """Return the cause of a successful training without a number."""
    trial, run = context.trial, context.run
    if true_condition(trial.status.conditions, "MetricsUnavailable"):
        if not context.experiment.collector_log(trial):
            return _metric_without_log(context)
        return missing_metric(trial, run.trainer_lines, run.logs_command)
    if trial.has_succeeded:
        return unusable_metric(trial, run.trainer_lines, run.logs_command)
    return None


def _metric_without_log(context: _TrialContext) -> Cause:
    """Return the cause of a missing metric if the trainer's output is unknown."""
    if context.run.pods:
        name = context.trial.spec.objective.objective_metric_name
        return Cause(
            message=f"no metric: Katib received no {name}=NUMBER.", hint=context.run.logs_command
        )
    return Cause(
        message="no metric, and its log was deleted with its pod.",
        hint="housectl tune   # housectl logs shows a trial's output while its pod exists",
    )


def _no_collector(context: _TrialContext) -> Cause | None:
    """Return the cause of a trial that cannot end because its pod has no collector."""
    pod = context.run.pod
    if context.trial.has_ended or not (pod or context.job_completion):
        return None
    if context.trial.spec.metrics_collector.collector.kind not in _COLLECTED_KINDS:
        return None
    # Katib's webhook adds both the collector and the labels of a trial's pod.
    if pod and any(container.name in COLLECTORS for container in pod.pod.spec.containers):
        return None
    experiment = context.experiment
    return Cause(
        message="Katib cannot get its metric: its pod was created without Katib's metrics "
        "collector.",
        hint=f"{label_command(experiment.target, experiment.namespace)}   # then housectl delete "
        f"{experiment.user_name}, and tune again; if the label was already set, the webhook was "
        "unavailable: housectl doctor",
    )


def _metric_not_read(context: _TrialContext) -> Cause | None:
    """Return the cause of a completed job whose metric Katib cannot read."""
    completion = context.job_completion
    if completion is None or context.trial.has_ended:
        return None
    error = persistent_error(events_since(context.events, completion))
    if error is None:
        return None
    return Cause(
        message=sentence("Katib cannot read its metric", error),
        hint=f"{database_pods_command(context.experiment.target)}   # they must be running; the "
        "trial then continues by itself",
    )


def _completion_not_noticed(context: _TrialContext) -> Cause | None:
    """Return the cause of a trial that has not ended although its job completed."""
    if context.trial.has_ended or not context.job_completion:
        return None
    return Cause(
        message="the training has ended, but Katib's controller has not noticed it.",
        hint=controller_hint(context.experiment.target),
    )


def _job_not_created(context: _TrialContext) -> Cause | None:
    """Return the cause of a trial whose job Katib cannot create."""
    if context.run.job or context.trial.has_ended:
        return None
    error = persistent_error(context.events)
    if error is None:
        return None
    return Cause(
        message=sentence("Katib cannot create its job", error), hint=context.describe_command
    )


def _failed(context: _TrialContext) -> Cause | None:
    """Return Katib's own reason if no other object explains the failure."""
    conditions = context.trial.status.conditions
    end = true_condition(conditions, "Failed") or true_condition(conditions, "Killed")
    if end is None:
        return None
    message = end.message.rpartition("Job message: ")[2]
    return Cause(
        message=sentence("Katib reports", message or end.reason), hint=context.describe_command
    )


# The trainer comes before the collector, which fails whenever the trainer does.
_PROBES: Sequence[Callable[[_TrialContext], Cause | None]] = (
    _stopped,
    _job,
    _collector,
    _metric,
    _no_collector,
    _metric_not_read,
    _completion_not_noticed,
    _job_not_created,
    _failed,
)
