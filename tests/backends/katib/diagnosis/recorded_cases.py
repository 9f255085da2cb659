"""Recorded Kubernetes objects as diagnosis reads them, at their end or at an earlier time."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import msgspec

from housectl.backends.katib.diagnosis.experiment_context import ExperimentContext
from housectl.backends.katib.katib_objects import KatibExperiment, KatibTrial, Suggestion
from housectl.kube.objects.base import Condition, KubeObject, NamedObject, ObjectMeta, parse
from housectl.kube.objects.events import Event
from housectl.kube.objects.jobs import Job
from housectl.kube.objects.pods import ContainerState, ContainerStatus, Pod

_RECORDED = Path(__file__).parent / "recorded"
_LATER = timedelta(seconds=20)

_V = TypeVar("_V", bound=KubeObject)


@dataclass(frozen=True)
class JobCase:
    """A job of a real cluster with its pods and events."""

    namespace: str
    job: Job
    pods: Sequence[Pod]
    events: Sequence[Event]
    now: datetime


def katib_case(name: str) -> ExperimentContext:
    """Read an experiment recorded with Katib 0.19 after its last change."""
    record = _read("katib-0.19", name)
    logs = record.get("logs", {})
    assert isinstance(logs, dict)
    return ExperimentContext(
        namespace=str(record["namespace"]),
        experiment=_parse_one(KatibExperiment, record["experiment"]),
        suggestion=_parse_one(Suggestion, record["suggestion"]),
        trials=_parse_list(KatibTrial, record, "trials"),
        jobs=_parse_list(Job, record, "jobs"),
        pods=_parse_list(Pod, record, "pods"),
        events=_parse_list(Event, record, "events"),
        collector_logs={pod.rpartition("-")[0]: str(log).splitlines() for pod, log in logs.items()},
        now=_latest(record) + _LATER,
    )


def job_case(name: str) -> JobCase:
    """Read a job recorded with Kubernetes 1.34."""
    record = _read("kubernetes-1.34", name)
    return JobCase(
        namespace=str(record["namespace"]),
        job=_parse_one(Job, record["job"]),
        pods=_parse_list(Pod, record, "pods"),
        events=_parse_list(Event, record, "events"),
        now=_latest(record) + _LATER,
    )


def service_case(name: str) -> tuple[str, Sequence[Pod], Sequence[Event], datetime]:
    """Read a deployment that Kubernetes 1.34 cannot run: its name, pods, events and time."""
    record = _read("kubernetes-1.34", name)
    return (
        _parse_one(NamedObject, record["deployment"]).metadata.name,
        _parse_list(Pod, record, "pods"),
        _parse_list(Event, record, "events"),
        _latest(record) + _LATER,
    )


def recorded_names(source: str) -> set[str]:
    """Return the names of all cases of one source."""
    return {path.stem for path in (_RECORDED / source).glob("*.json")}


def expected_causes(file: str) -> list[tuple[str, str]]:
    """Read the expected causes: blocks of a case's name, the message and the hint."""
    blocks = (Path(__file__).parent / file).read_text().strip().split("\n\n")
    return [
        (name, f"{message} Hint: {hint}") for name, message, hint in map(str.splitlines, blocks)
    ]


def change_times(context: ExperimentContext) -> list[datetime]:
    """Return the times of all changes, and one time between each two of them."""
    texts = [msgspec.json.encode(part).decode() for part in (context.trials, context.pods)]
    texts.append(msgspec.json.encode(context.experiment).decode())
    times = sorted({time for text in texts for time in _times(json.loads(text))})
    between = [early + (late - early) / 2 for early, late in pairwise(times)]
    return sorted([*times, *between])


def at_time(context: ExperimentContext, now: datetime) -> ExperimentContext:
    """Return the same experiment as of an earlier time."""
    return replace(
        context,
        experiment=_rewound(context.experiment, now),
        suggestion=_rewound(context.suggestion, now) if context.suggestion else None,
        trials=[_rewound(each, now) for each in context.trials if _is_created(each.metadata, now)],
        jobs=[_rewound(each, now) for each in context.jobs if _is_created(each.metadata, now)],
        pods=[_rewound_pod(each, now) for each in context.pods if _is_created(each.metadata, now)],
        events=[each for each in context.events if each.latest and each.latest <= now],
        now=now,
    )


def _rewound(item: _V, now: datetime) -> _V:
    """Return an object without its later conditions and without a later completion time."""
    raw = json.loads(msgspec.json.encode(item))
    status = raw["status"]
    status["conditions"] = [
        _reopened(each, now) for each in status["conditions"] if _existed(each, now)
    ]
    if status.get("completionTime") and _time(status["completionTime"]) > now:
        del status["completionTime"]
        status.pop("observation", None)
    return parse(type(item), raw)


def _existed(condition: Mapping[str, str], now: datetime) -> bool:
    """Return True if a condition existed: a false one existed earlier, and was true."""
    return condition["status"] == "False" or _time(condition["lastTransitionTime"]) <= now


def _reopened(condition: dict[str, str], now: datetime) -> dict[str, str]:
    later = _time(condition["lastTransitionTime"]) > now
    return {**condition, "status": "True"} if later else condition


def _rewound_pod(pod: Pod, now: datetime) -> Pod:
    states = [_rewound_container(each, now) for each in pod.status.container_statuses]
    ended = all(each.state.terminated for each in states)
    started = all(not each.state.waiting for each in states)
    phase = pod.status.phase if ended else "Running" if started else "Pending"
    status = msgspec.structs.replace(
        pod.status,
        container_statuses=states,
        phase=phase,
        conditions=[Condition(type="PodScheduled", status="True")],
    )
    metadata = msgspec.structs.replace(pod.metadata, deletion_timestamp=None)
    return msgspec.structs.replace(pod, metadata=metadata, status=status)


def _rewound_container(status: ContainerStatus, now: datetime) -> ContainerStatus:
    ended = status.state.terminated
    if ended is None or (ended.finished_at and ended.finished_at <= now):
        return status
    started = ended.started_at is not None and ended.started_at <= now
    state: dict[str, object] = (
        {"running": {"startedAt": ended.started_at}}
        if started
        else {"waiting": {"reason": "ContainerCreating"}}
    )
    return msgspec.structs.replace(status, state=parse(ContainerState, state))


def _is_created(metadata: ObjectMeta, now: datetime) -> bool:
    return metadata.creation_timestamp is not None and metadata.creation_timestamp <= now


def _read(source: str, name: str) -> dict[str, object]:
    record = json.loads((_RECORDED / source / f"{name}.json").read_text())
    assert isinstance(record, dict)
    return record


def _parse_one(kind: type[_V], raw: object) -> _V:
    assert isinstance(raw, dict)
    return parse(kind, raw)


def _parse_list(kind: type[_V], record: Mapping[str, object], key: str) -> list[_V]:
    items = record.get(key, [])
    assert isinstance(items, list)
    return [parse(kind, each) for each in items]


def _latest(record: object) -> datetime:
    return max(_times(record))


def _times(value: object) -> list[datetime]:
    if isinstance(value, dict):
        return [time for item in value.values() for time in _times(item)]
    if isinstance(value, list):
        return [time for item in value for time in _times(item)]
    return [_time(value)] if isinstance(value, str) and value[:3] == "202" and "T" in value else []


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
