"""One look at all objects of an experiment, or of a task."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from housectl.backends.katib.layout import (
    EXPERIMENT,
    EXPERIMENT_LABEL,
    TASK,
    TRIAL,
    labels,
    selector,
)
from housectl.backends.kube.client import Manifest
from housectl.backends.kube.kinds import EVENTS, EXPERIMENTS, JOBS, PODS, SUGGESTIONS, TRIALS, Kind
from housectl.diagnosis.objects import (
    Event,
    Job,
    KatibExperiment,
    KatibTrial,
    Pod,
    Suggestion,
    view,
)

Source = Callable[[Kind], Sequence[Manifest]]


@dataclass(frozen=True, kw_only=True)
class ExperimentLook:
    """What the cluster has of an experiment at one moment, the members in their order."""

    members: tuple[KatibExperiment, ...]
    suggestions: tuple[Suggestion, ...]
    trials: tuple[KatibTrial, ...]
    jobs: tuple[Job, ...]
    pods: tuple[Pod, ...]
    events: tuple[Event, ...]


@dataclass(frozen=True, kw_only=True)
class TaskLook:
    """What the cluster has of a task at one moment."""

    jobs: tuple[Job, ...]
    pods: tuple[Pod, ...]
    events: tuple[Event, ...]


def member_selector(name: str) -> str:
    """Return the selector for the Katib Experiments of an experiment."""
    return selector(labels(name, EXPERIMENT))


def experiment_selectors(name: str, members: Sequence[str]) -> dict[Kind, str]:
    """Return where an experiment's objects are found.

    Katib labels trials and pods with their Experiment's name; Suggestions and events have no label.
    """
    of_members = f"{EXPERIMENT_LABEL} in ({','.join(members)})"
    return {
        EXPERIMENTS: member_selector(name),
        SUGGESTIONS: "",
        TRIALS: of_members,
        JOBS: selector(labels(name, TRIAL)),
        PODS: of_members,
        EVENTS: "",
    }


def task_selectors(name: str) -> dict[Kind, str]:
    """Return where a task's objects are found."""
    of_task = selector(labels(name, TASK))
    return {JOBS: of_task, PODS: of_task, EVENTS: ""}


def experiment_look(source: Source) -> ExperimentLook:
    """Look at an experiment."""
    members = [view(KatibExperiment, each) for each in source(EXPERIMENTS)]
    members.sort(key=lambda each: (str(each.metadata.creation_timestamp), each.metadata.name))
    names = {member.metadata.name for member in members}
    trials = [view(KatibTrial, each) for each in source(TRIALS)]
    suggestions = [view(Suggestion, each) for each in source(SUGGESTIONS)]
    return ExperimentLook(
        members=tuple(members),
        suggestions=tuple(each for each in suggestions if each.metadata.name in names),
        trials=tuple(each for each in trials if each.metadata.deletion_timestamp is None),
        jobs=tuple(view(Job, each) for each in source(JOBS)),
        pods=tuple(view(Pod, each) for each in source(PODS)),
        events=_events(source, names),
    )


def task_look(source: Source, name: str) -> TaskLook:
    """Look at a task."""
    return TaskLook(
        jobs=tuple(view(Job, each) for each in source(JOBS)),
        pods=tuple(view(Pod, each) for each in source(PODS)),
        events=_events(source, {name}),
    )


def _events(source: Source, names: set[str]) -> tuple[Event, ...]:
    """Return the events about claims, and about objects that begin with one of the names."""
    beginnings = tuple(names)
    return tuple(view(Event, each) for each in source(EVENTS) if _concerns(each, beginnings))


def _concerns(event: Manifest, beginnings: tuple[str, ...]) -> bool:
    involved = event.get("involvedObject")
    if not isinstance(involved, Mapping):
        return False
    name, kind = str(involved.get("name", "")), involved.get("kind")
    return kind == "PersistentVolumeClaim" or name.startswith(beginnings)
