"""Diagnosis of the job of a trial or a task: its probes, and the causes from its own status."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from housectl.backends.katib.diagnosis.cause import Cause, first_cause, sentence
from housectl.backends.katib.diagnosis.container import container_not_started_from_events
from housectl.backends.katib.diagnosis.disruption import deleted_from_events
from housectl.backends.katib.diagnosis.job_run import JobRun, job_of
from housectl.backends.katib.diagnosis.pod import DELETED_POD_START_PROBES, POD_PROBES
from housectl.backends.katib.diagnosis.pod_context import PodContext
from housectl.backends.katib.diagnosis.pod_creation import pod_creation_blocked
from housectl.backends.katib.diagnosis.termination import (
    exited,
    init_container_failed,
    not_started,
    out_of_memory,
    timed_out,
    trainer_timeout,
    unusable_inputs,
)
from housectl.kube.kubectl import KubectlTarget
from housectl.kube.objects.events import Event
from housectl.kube.objects.jobs import Job
from housectl.kube.objects.pods import Pod


def task_cause(
    job: Job,
    pods: Sequence[Pod],
    events: Sequence[Event],
    *,
    namespace: str,
    trainer_lines: Sequence[str],
    now: datetime,
    context: str | None = None,
) -> Cause | None:
    """Return the cause of a task that is stuck or has failed.

    Args:
        job: Job of the task.
        pods: Pods of the namespace, including those of other jobs.
        events: Events of the namespace.
        namespace: Namespace of the job.
        trainer_lines: Lines that the trainer printed, as far as its log could be read.
        now: Time of the observation.
        context: Context of the kubeconfig for the commands of hints.
    """
    name = job.metadata.name
    run = JobRun(
        target=KubectlTarget(namespace=namespace, context=context),
        name=name,
        job=job,
        pods=[pod for pod in pods if job_of(pod) == name],
        events=events,
        now=now,
        primary_container="",
        trainer_lines=trainer_lines,
        logs_command=f"housectl logs {name}",
    )
    return first_cause(JOB_PROBES, run)


def _deadline_exceeded(run: JobRun) -> Cause | None:
    """Return the cause of a job past its deadline.

    Kubernetes deletes its pod then, so only the events about the pod remain.
    """
    job = run.job
    if job is None or not job.is_past_deadline:
        return None
    pod, deadline = run.pod or run.deleted_pod, job.spec.active_deadline_seconds
    timeout = f"timed out after {deadline} s, before its pod was ready"
    cause = _start_blocker(pod) if pod else pod_creation_blocked(run.target, run.job_events)
    if cause:
        return replace(cause, message=f"{timeout}: {cause.message}")
    # Only running containers are killed, and the events about their start may have expired.
    was_running = pod and (pod.started_containers or pod.latest_event("Killing"))
    if pod and not was_running and (event := pod.latest_event()):
        return Cause(message=sentence(timeout, event.message), hint=_events_hint(run, pod))
    return _started_too_late(run, pod, deadline) or trainer_timeout(deadline)


def _start_blocker(pod: PodContext) -> Cause | None:
    """Return the cause that kept a pod from starting, other than too little time."""
    if pod.started_containers:
        return container_not_started_from_events(pod)
    return first_cause(DELETED_POD_START_PROBES, pod)


def _started_too_late(run: JobRun, pod: PodContext | None, deadline: int | None) -> Cause | None:
    """Return the cause if the job's deadline passed before the trainer's own deadline."""
    if deadline is None or run.trainer_deadline is None or deadline <= run.trainer_deadline:
        return None
    return Cause(
        message="its pod started too late: it did not start within "
        f"{deadline - run.trainer_deadline:g} s, and its job has a deadline of {deadline} s.",
        hint=_events_hint(run, pod),
    )


def _events_hint(run: JobRun, pod: PodContext | None) -> str:
    """Return the hint for a pod that waited for an unknown reason."""
    command = (
        pod.describe_command if pod else run.target.kubectl("get events --sort-by=.lastTimestamp")
    )
    return f"{command}   # shows why it waited; then run housectl tune again"


def _no_pod(run: JobRun) -> Cause | None:
    """Return the cause of an active job without a pod."""
    job = run.job
    if run.pods or job is None or job.status.active or job.is_decided:
        return None
    return pod_creation_blocked(run.target, run.job_events)


def _pod(run: JobRun) -> Cause | None:
    return first_cause(POD_PROBES, run.pod) if run.pod else None


def _pod_deleted(run: JobRun) -> Cause | None:
    """Return the cause of a failed job whose pod is missing."""
    if run.pods or run.job is None or not run.job.has_failed:
        return None
    cause = deleted_from_events(run.deleted_pod) if run.deleted_pod else None
    return cause or Cause(
        message="its pod is missing: it was deleted, or lost with its node.",
        hint=run.target.kubectl("get events --sort-by=.lastTimestamp"),
    )


# The deadline comes first, because Kubernetes then deletes the pod. Disruptions of the pod come
# before its containers, which only show that they were killed.
JOB_PROBES: Sequence[Callable[[JobRun], Cause | None]] = (
    _deadline_exceeded,
    _no_pod,
    _pod,
    init_container_failed,
    not_started,
    out_of_memory,
    timed_out,
    unusable_inputs,
    exited,
    _pod_deleted,
)
