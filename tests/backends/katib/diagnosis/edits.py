"""Edits that turn recorded jobs and pods into other cases."""

from dataclasses import replace
from datetime import datetime
from typing import TypeVar

import msgspec

from housectl.backends.katib.diagnosis.job import task_cause
from housectl.kube.objects.base import Condition, KubeObject, ObjectMeta
from housectl.kube.objects.events import Event, Reference
from housectl.kube.objects.pods import ContainerState, Terminated, Waiting
from tests.backends.katib.diagnosis.recorded_cases import JobCase, job_case

_V = TypeVar("_V", bound=KubeObject)


def cause_of(case: JobCase, *lines: str) -> str:
    return str(
        task_cause(
            case.job,
            case.pods,
            case.events,
            namespace=case.namespace,
            trainer_lines=lines,
            now=case.now,
        )
    )


def creation_time(case: JobCase) -> datetime:
    time = case.pods[0].metadata.creation_timestamp
    assert time is not None
    return time


def with_pod(case: JobCase, **changes: object) -> JobCase:
    return replace(case, pods=[edit(case.pods[0], **changes)])


def with_condition(name: str, kind: str, status: str, reason: str, message: str) -> JobCase:
    """Return a recorded case whose pod has this condition and no resource requests."""
    case = job_case(name)
    condition = Condition(type=kind, status=status, reason=reason, message=message)
    pod = case.pods[0]
    others = [each for each in pod.status.conditions if each.type not in {kind, "DisruptionTarget"}]
    containers = [
        edit(each, resources=edit(each.resources, requests={})) for each in pod.spec.containers
    ]
    metadata = edit(pod.metadata, deletion_timestamp=None)
    return with_pod(
        case,
        metadata=metadata,
        spec=edit(pod.spec, containers=containers),
        status=edit(pod.status, conditions=[*others, condition]),
    )


def waiting_case(name: str, reason: str, message: str) -> JobCase:
    return with_container_state(
        job_case(name), ContainerState(waiting=Waiting(reason=reason, message=message))
    )


def with_termination(case: JobCase, termination: Terminated) -> JobCase:
    return with_container_state(case, ContainerState(terminated=termination))


def with_container_state(case: JobCase, state: ContainerState) -> JobCase:
    pod = case.pods[0]
    statuses = [edit(each, state=state) for each in pod.status.container_statuses]
    return with_pod(case, status=edit(pod.status, container_statuses=statuses))


def event(kind: str, name: str, reason: str, message: str) -> Event:
    return Event(
        metadata=ObjectMeta(name=f"{name}.1"),
        involved_object=Reference(kind=kind, name=name),
        reason=reason,
        message=message,
        count=1,
    )


def edit(item: _V, **changes: object) -> _V:
    return msgspec.structs.replace(item, **changes)
