"""Recorded jobs and pods with changes that make another case of them."""

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


def said(case: JobCase, *lines: str) -> str:
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


def made(case: JobCase) -> datetime:
    time = case.pods[0].metadata.creation_timestamp
    assert time is not None
    return time


def podded(case: JobCase, **changes: object) -> JobCase:
    return replace(case, pods=[changed(case.pods[0], **changes)])


def conditioned(name: str, kind: str, status: str, reason: str, message: str) -> JobCase:
    """Return a recorded case whose pod has one other condition, and asks for nothing."""
    case = job_case(name)
    condition = Condition(type=kind, status=status, reason=reason, message=message)
    pod = case.pods[0]
    others = [each for each in pod.status.conditions if each.type not in {kind, "DisruptionTarget"}]
    containers = [changed(each, resources=changed(each.resources, requests={})) for each in
                  pod.spec.containers]  # fmt: skip
    metadata = changed(pod.metadata, deletion_timestamp=None)
    return podded(
        case,
        metadata=metadata,
        spec=changed(pod.spec, containers=containers),
        status=changed(pod.status, conditions=[*others, condition]),
    )


def waiting(name: str, reason: str, message: str) -> JobCase:
    return stated(job_case(name), ContainerState(waiting=Waiting(reason=reason, message=message)))


def ending(case: JobCase, ended: Terminated) -> JobCase:
    return stated(case, ContainerState(terminated=ended))


def stated(case: JobCase, state: ContainerState) -> JobCase:
    pod = case.pods[0]
    statuses = [changed(each, state=state) for each in pod.status.container_statuses]
    return podded(case, status=changed(pod.status, container_statuses=statuses))


def event(kind: str, name: str, reason: str, message: str) -> Event:
    return Event(
        metadata=ObjectMeta(name=f"{name}.1"),
        involved_object=Reference(kind=kind, name=name),
        reason=reason,
        message=message,
        count=1,
    )


def changed(thing: _V, **changes: object) -> _V:
    return msgspec.structs.replace(thing, **changes)
