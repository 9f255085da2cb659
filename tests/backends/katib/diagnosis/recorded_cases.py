"""Recorded objects as the views that a diagnosis reads, at their end or at an earlier moment."""

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
    """A job of a real Kubernetes."""

    namespace: str
    job: Job
    pods: Sequence[Pod]
    events: Sequence[Event]
    now: datetime


def katib_case(name: str) -> ExperimentContext:
    """Read a case that was recorded with Katib 0.19, when nothing changed any more."""
    told = _read("katib-0.19", name)
    logs = told.get("logs", {})
    assert isinstance(logs, dict)
    return ExperimentContext(
        namespace=str(told["namespace"]),
        experiment=_one(KatibExperiment, told["experiment"]),
        suggestion=_one(Suggestion, told["suggestion"]),
        trials=_views(KatibTrial, told, "trials"),
        jobs=_views(Job, told, "jobs"),
        pods=_views(Pod, told, "pods"),
        events=_views(Event, told, "events"),
        collector_logs={pod.rpartition("-")[0]: str(log).splitlines() for pod, log in logs.items()},
        now=_latest(told) + _LATER,
    )


def job_case(name: str) -> JobCase:
    """Read a job that was recorded with Kubernetes 1.34."""
    told = _read("kubernetes-1.34", name)
    return JobCase(
        namespace=str(told["namespace"]),
        job=_one(Job, told["job"]),
        pods=_views(Pod, told, "pods"),
        events=_views(Event, told, "events"),
        now=_latest(told) + _LATER,
    )


def service_case(name: str) -> tuple[str, Sequence[Pod], Sequence[Event], datetime]:
    """Read the name of a deployment that Kubernetes 1.34 cannot run, with its pods and events."""
    told = _read("kubernetes-1.34", name)
    return (
        _one(NamedObject, told["deployment"]).metadata.name,
        _views(Pod, told, "pods"),
        _views(Event, told, "events"),
        _latest(told) + _LATER,
    )


def recorded_names(source: str) -> set[str]:
    """Return the names of the cases of one source."""
    return {path.stem for path in (_RECORDED / source).glob("*.json")}


def sentences(file: str) -> list[tuple[str, str]]:
    """Read what is to be said: blocks of a case's name, what happened and the hint."""
    blocks = (Path(__file__).parent / file).read_text().strip().split("\n\n")
    return [(name, f"{what} Hint: {hint}") for name, what, hint in map(str.splitlines, blocks)]


def moments(observed: ExperimentContext) -> list[datetime]:
    """Return the times at which something changed, and one between any two of them."""
    texts = [msgspec.json.encode(part).decode() for part in (observed.trials, observed.pods)]
    texts.append(msgspec.json.encode(observed.experiment).decode())
    times = sorted({time for text in texts for time in _times(json.loads(text))})
    between = [early + (late - early) / 2 for early, late in pairwise(times)]
    return sorted([*times, *between])


def at(observed: ExperimentContext, now: datetime) -> ExperimentContext:
    """Return how the same experiment must have looked at an earlier moment."""
    return replace(
        observed,
        experiment=_rewound(observed.experiment, now),
        suggestion=_rewound(observed.suggestion, now) if observed.suggestion else None,
        trials=[_rewound(each, now) for each in observed.trials if _is_made(each.metadata, now)],
        jobs=[_rewound(each, now) for each in observed.jobs if _is_made(each.metadata, now)],
        pods=[_rewound_pod(each, now) for each in observed.pods if _is_made(each.metadata, now)],
        events=[each for each in observed.events if each.latest and each.latest <= now],
        now=now,
    )


def _rewound(thing: _V, now: datetime) -> _V:
    """Take back the conditions that came later, and a completion time that was not yet."""
    told = json.loads(msgspec.json.encode(thing))
    status = told["status"]
    status["conditions"] = [
        _reopened(each, now) for each in status["conditions"] if _was(each, now)
    ]
    if status.get("completionTime") and _time(status["completionTime"]) > now:
        del status["completionTime"]
        status.pop("observation", None)
    return parse(type(thing), told)


def _was(condition: Mapping[str, str], now: datetime) -> bool:
    """Tell whether a condition was there: a false one was there before, and true."""
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


def _is_made(metadata: ObjectMeta, now: datetime) -> bool:
    return metadata.creation_timestamp is not None and metadata.creation_timestamp <= now


def _read(source: str, name: str) -> dict[str, object]:
    told = json.loads((_RECORDED / source / f"{name}.json").read_text())
    assert isinstance(told, dict)
    return told


def _one(kind: type[_V], told: object) -> _V:
    assert isinstance(told, dict)
    return parse(kind, told)


def _views(kind: type[_V], told: Mapping[str, object], key: str) -> list[_V]:
    things = told.get(key, [])
    assert isinstance(things, list)
    return [parse(kind, each) for each in things]


def _latest(told: object) -> datetime:
    return max(_times(told))


def _times(told: object) -> list[datetime]:
    if isinstance(told, dict):
        return [time for value in told.values() for time in _times(value)]
    if isinstance(told, list):
        return [time for value in told for time in _times(value)]
    return [_time(told)] if isinstance(told, str) and told[:3] == "202" and "T" in told else []


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
