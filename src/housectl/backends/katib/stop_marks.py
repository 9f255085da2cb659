"""Marks of a stopped experiment: an annotation of its sub-experiments, a deadline of its jobs."""

from housectl.backends.katib.katib_objects import KatibExperiment
from housectl.backends.katib.labels_and_paths import STOPPED_ANNOTATION
from housectl.kube.objects.jobs import Job

STOPPED_BY_USER, STOPPED_BY_TIME_LIMIT = "user", "time-limit"
# No trial has a limit this short, so the deadline also marks the job.
STOP_DEADLINE_SECONDS = 1


def stop_reason(sub_experiment: KatibExperiment) -> str | None:
    """Return the reason for which a sub-experiment was stopped; None if it was not."""
    return sub_experiment.metadata.annotations.get(STOPPED_ANNOTATION)


def was_stopped(job: Job) -> bool:
    """Return True if a job ended because its experiment was stopped."""
    return job.is_past_deadline and job.spec.active_deadline_seconds == STOP_DEADLINE_SECONDS
