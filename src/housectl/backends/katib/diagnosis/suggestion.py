"""Why an experiment's algorithm gives no assignments."""

import re
from datetime import timedelta

from housectl.backends.katib.diagnosis.cause import Cause, first_cause, sentence
from housectl.backends.katib.diagnosis.experiment_context import ExperimentContext
from housectl.backends.katib.diagnosis.pod import START_PROBES
from housectl.backends.katib.diagnosis.pod_context import (
    PodContext,
    katib_config_source,
    newest_pod,
)
from housectl.backends.katib.diagnosis.pod_creation import pod_creation_blocked
from housectl.backends.katib.katib_names import configuration
from housectl.kube.objects.base import true_condition
from housectl.kube.objects.events import events_since
from housectl.kube.objects.pods import ContainerStatus, Terminated
from housectl.quantities import double_quantity

# What a service that runs does takes less: to be ready 12 s, its longest thought 20 s.
_PATIENCE = timedelta(minutes=1)
# A service that was killed for its memory and runs again may go on, and may have forgotten all.
_OOM_PATIENCE = timedelta(seconds=20)
_REFUSAL = re.compile(r"^Validation failed: (?:ValidateAlgorithmSettings Error: )?")


def refused_search(observed: ExperimentContext) -> Cause | None:
    """Return why the algorithm refuses the search."""
    suggestion = observed.suggestion
    failed = true_condition(suggestion.status.conditions, "Failed") if suggestion else None
    if failed is None:
        return None
    return Cause(
        message=sentence(
            f"The algorithm {observed.algorithm} refuses the search",
            _REFUSAL.sub("", failed.message),
        ),
        hint="housectl render   # shows the search space and settings that it refuses",
    )


def service_not_running(observed: ExperimentContext) -> Cause | None:
    """Return why the pod of the algorithm's service does not run; one that is lost is made anew."""
    seen = _service_pod(observed)
    cause = _of_pod(observed, seen) if seen else _no_pod(observed)
    if cause is None:
        return None
    return Cause(
        message=f"The service of the algorithm {observed.algorithm} does not run: {cause.message}",
        hint=cause.hint,
    )


def unready_service(observed: ExperimentContext) -> Cause | None:
    """Return the cause if the algorithm's service runs for long and is not ready."""
    seen, suggestion = _service_pod(observed), observed.suggestion
    if seen is None or suggestion is None or seen.running_time < _PATIENCE:
        return None
    conditions = suggestion.status.conditions
    if not any(each.type == "DeploymentReady" and not each.is_true for each in conditions):
        return None
    return Cause(
        message=f"The service of the algorithm {observed.algorithm} is not ready, more than a "
        "minute after it started.",
        hint=observed.target.kubectl(f"logs {seen.name}"),
    )


def no_suggestions(observed: ExperimentContext) -> Cause | None:
    """Return the cause if assignments were asked for, and none has come for a minute."""
    seen, suggestion = _service_pod(observed), observed.suggestion
    if (
        suggestion is None
        or observed.idle_time < _PATIENCE
        or (seen and seen.running_time < _PATIENCE)
    ):
        return None
    if suggestion.spec.requests <= suggestion.status.suggestion_count:
        return None
    return Cause(
        message=f"The algorithm {observed.algorithm} has given no assignment for more than a minute.",
        hint=observed.target.kubectl(
            f"logs {seen.name}" if seen else f"describe suggestion {suggestion.metadata.name}"
        ),
    )


def _service_pod(observed: ExperimentContext) -> PodContext | None:
    """Return the newest pod of the algorithm's service: one that a ReplicaSet owns."""
    pods = [
        pod
        for pod in observed.pods
        if any(owner.kind == "ReplicaSet" for owner in pod.metadata.owner_references)
    ]
    if not pods:
        return None
    return PodContext(
        target=observed.target,
        pod=newest_pod(pods),
        events=observed.events,
        now=observed.now,
        config_source=katib_config_source(observed.target),
    )


def _of_pod(observed: ExperimentContext, seen: PodContext) -> Cause | None:
    """Return why the service's container does not start, or ends, which it never should."""
    for status in seen.container_statuses():
        ended = status.state.terminated or status.last_state.terminated
        if ended is None:
            continue
        is_down = _is_down(status)
        if ended.reason == "OOMKilled" and (is_down or _stalled(observed, ended)):
            return _out_of_memory(observed, seen, status)
        if is_down:
            return _crashed(seen, status, ended)
    return first_cause(START_PROBES, seen)


def _crashed(seen: PodContext, status: ContainerStatus, ended: Terminated) -> Cause:
    return Cause(
        message=sentence(
            f"it crashes, and was restarted {status.restart_count} times",
            f"exited {ended.exit_code}",
            ended.message,
        ),
        hint=seen.target.kubectl(f"logs {seen.name} --previous"),
    )


def _is_down(status: ContainerStatus) -> bool:
    waiting = status.state.waiting
    return bool(status.state.terminated or (waiting and waiting.reason == "CrashLoopBackOff"))


def _stalled(observed: ExperimentContext, ended: Terminated) -> bool:
    """Whether the search did not go on after the service was killed and runs again."""
    went_on = ended.finished_at and ended.finished_at < observed.last_progress
    return not went_on and observed.idle_time > _OOM_PATIENCE


def _out_of_memory(observed: ExperimentContext, seen: PodContext, status: ContainerStatus) -> Cause:
    limit = seen.container(status.name).resources.limits.get("memory", "")
    more = double_quantity(limit) if limit else "512Mi"
    return Cause(
        message=f"it runs out of memory: limit {limit or 'unknown'}, restarted "
        f"{status.restart_count} times.",
        hint=f"{seen.target.kubectl(f'set resources deployment {_deployment(observed)}')} "
        f"--limits=memory={more}   # for later searches: {configuration(seen.target)}",
    )


def _no_pod(observed: ExperimentContext) -> Cause | None:
    """Return why the cluster refuses to make the service's pod."""
    made = observed.suggestion.metadata.creation_timestamp if observed.suggestion else None
    told = [
        event
        for event in events_since(observed.events, made)
        if event.involved_object.kind == "ReplicaSet"
        and event.involved_object.name.rpartition("-")[0] == _deployment(observed)
    ]
    return pod_creation_blocked(observed.target, told)


def _deployment(observed: ExperimentContext) -> str:
    """Return the name that Katib gives to the deployment of the algorithm's service."""
    return f"{observed.experiment.metadata.name}-{observed.algorithm}"
