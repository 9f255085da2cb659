"""Causes of missing suggestions, from the Suggestion and the pod of the algorithm's service."""

import re
from dataclasses import replace
from datetime import timedelta

from housectl.backends.katib.diagnosis.cause import Cause, first_cause, sentence, split_hint
from housectl.backends.katib.diagnosis.experiment_context import ExperimentContext
from housectl.backends.katib.diagnosis.pod import START_PROBES
from housectl.backends.katib.diagnosis.pod_context import (
    ConfigSource,
    PodContext,
    katib_config_source,
    newest_pod,
)
from housectl.backends.katib.diagnosis.pod_creation import pod_creation_blocked
from housectl.backends.katib.katib_installation import config_command
from housectl.backends.katib.plan.sub_experiments import searches_all_families
from housectl.kube.objects.base import true_condition
from housectl.kube.objects.events import events_since
from housectl.kube.objects.pods import ContainerStatus, Terminated
from housectl.quantities import double_quantity

# A working service is ready within 12 s, and its slowest suggestion took 20 s.
_GRACE_TIME = timedelta(minutes=1)
# A service that restarted after running out of memory may continue, or may have lost its state.
_RESTART_GRACE_TIME = timedelta(seconds=20)
_FALLBACK_MEMORY = "512Mi"
_OTHER_ALGORITHM = re.compile(
    r"\b(?:unsupported|unknown|invalid) algorithm\b(?! setting)", re.IGNORECASE
)
_REGISTER = "housectl cluster init"
_REJECTION_PREFIX = re.compile(r"^Validation failed: (?:ValidateAlgorithmSettings Error: )?")


def search_rejected(context: ExperimentContext) -> Cause | None:
    """Return the cause of a search that the algorithm rejects."""
    suggestion = context.suggestion
    failed = true_condition(suggestion.status.conditions, "Failed") if suggestion else None
    if failed is None:
        return None
    error = _REJECTION_PREFIX.sub("", failed.message)
    if _OTHER_ALGORITHM.search(error):
        return _wrong_image(context, error)
    problem, hint = split_hint(error)
    return Cause(
        message=sentence(f"The algorithm {context.algorithm} rejects the search", problem),
        hint=hint or "housectl render   # shows the rejected search space and settings",
    )


def _wrong_image(context: ExperimentContext, error: str) -> Cause:
    """Return the cause of a service whose image does not implement its algorithm."""
    algorithm, pod = context.algorithm, _service_pod(context)
    images = [container.image for container in pod.pod.spec.containers] if pod else []
    image = f"image {images[0]}" if images else "service's image"
    edit = (
        f"{config_command(context.target)}   # then correct the image under algorithmName: "
        f"{algorithm}"
    )
    return Cause(
        message=sentence(f"The {image} does not implement the algorithm {algorithm}", error),
        hint=_REGISTER if searches_all_families(algorithm) else edit,
    )


def service_not_running(context: ExperimentContext) -> Cause | None:
    """Return the cause of a service that is not running; Kubernetes replaces a lost pod."""
    pod = _service_pod(context)
    cause = _pod_cause(context, pod) if pod else _no_pod(context)
    if cause is None:
        return None
    problem = f"The service of the algorithm {context.algorithm} is not running"
    return replace(cause, message=f"{problem}: {cause.message}")


def service_not_ready(context: ExperimentContext) -> Cause | None:
    """Return the cause of a service that has been running for long and is not ready."""
    pod, suggestion = _service_pod(context), context.suggestion
    if pod is None or suggestion is None or pod.running_time < _GRACE_TIME:
        return None
    conditions = suggestion.status.conditions
    if not any(each.type == "DeploymentReady" and not each.is_true for each in conditions):
        return None
    return Cause(
        message=f"The service of the algorithm {context.algorithm} is not ready more than a minute "
        "after its start.",
        hint=context.target.kubectl(f"logs {pod.name}"),
    )


def no_suggestions(context: ExperimentContext) -> Cause | None:
    """Return the cause of requested suggestions that are missing after a minute."""
    pod, suggestion = _service_pod(context), context.suggestion
    if suggestion is None or context.idle_time < _GRACE_TIME:
        return None
    if pod and pod.running_time < _GRACE_TIME:
        return None
    if suggestion.spec.requests <= suggestion.status.suggestion_count:
        return None
    return Cause(
        message=f"The algorithm {context.algorithm} has made no suggestion for more than a minute.",
        hint=context.target.kubectl(
            f"logs {pod.name}" if pod else f"describe suggestion {suggestion.metadata.name}"
        ),
    )


def _service_pod(context: ExperimentContext) -> PodContext | None:
    """Return the newest pod of the algorithm's service: a pod of a ReplicaSet."""
    pods = [
        pod
        for pod in context.pods
        if any(owner.kind == "ReplicaSet" for owner in pod.metadata.owner_references)
    ]
    if not pods:
        return None
    return PodContext(
        target=context.target,
        pod=newest_pod(pods),
        events=context.events,
        now=context.now,
        config_source=_service_config(context),
    )


def _service_config(context: ExperimentContext) -> ConfigSource:
    source = katib_config_source(context.target)
    if not searches_all_families(context.algorithm):
        return source
    return replace(source, image_hint=f"register another image: {_REGISTER}")


def _pod_cause(context: ExperimentContext, pod: PodContext) -> Cause | None:
    """Return the cause of a container that does not start or has ended, which it never should."""
    for status in pod.container_statuses():
        termination = status.state.terminated or status.last_state.terminated
        if termination is None:
            continue
        is_down = _is_down(status)
        if termination.reason == "OOMKilled" and (is_down or _stalled(context, termination)):
            return _out_of_memory(context, pod, status)
        if is_down:
            return _crashed(pod, status, termination)
    return first_cause(START_PROBES, pod)


def _crashed(pod: PodContext, status: ContainerStatus, termination: Terminated) -> Cause:
    return Cause(
        message=sentence(
            f"it crashed and was restarted {status.restart_count} times",
            f"exited {termination.exit_code}",
            termination.message,
        ),
        # The runtime has often deleted the previous container, but keeps the current one.
        hint=pod.target.kubectl(f"logs {pod.name}"),
    )


def _is_down(status: ContainerStatus) -> bool:
    waiting = status.state.waiting
    return bool(status.state.terminated or (waiting and waiting.reason == "CrashLoopBackOff"))


def _stalled(context: ExperimentContext, termination: Terminated) -> bool:
    """Return True if the search made no progress after the service was killed and restarted."""
    has_progressed = termination.finished_at and termination.finished_at < context.last_progress
    return not has_progressed and context.idle_time > _RESTART_GRACE_TIME


def _out_of_memory(context: ExperimentContext, pod: PodContext, status: ContainerStatus) -> Cause:
    limit = pod.container(status.name).resources.limits.get("memory", "")
    memory = double_quantity(limit) if limit else _FALLBACK_MEMORY
    set_resources = pod.target.kubectl(f"set resources deployment {_deployment(context)}")
    return Cause(
        message=f"it runs out of memory: limit {limit or 'unknown'}, restarted "
        f"{status.restart_count} times.",
        hint=f"{set_resources} --limits=memory={memory}   # for later searches: "
        f"{config_command(pod.target)}",
    )


def _no_pod(context: ExperimentContext) -> Cause | None:
    """Return the cause of a service whose pod is rejected by the cluster."""
    created = (context.suggestion or context.experiment).metadata.creation_timestamp
    events = [
        event
        for event in events_since(context.events, created)
        if event.involved_object.kind == "ReplicaSet"
        and event.involved_object.name.rpartition("-")[0] == _deployment(context)
    ]
    return pod_creation_blocked(context.target, events)


def _deployment(context: ExperimentContext) -> str:
    """Return Katib's name for the deployment of the algorithm's service."""
    return f"{context.experiment.metadata.name}-{context.algorithm}"
