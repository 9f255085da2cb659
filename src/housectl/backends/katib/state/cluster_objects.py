"""One look at all objects of an experiment, or of a task."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from housectl.backends.katib.katib_objects import KatibExperiment, KatibTrial, Suggestion
from housectl.backends.katib.naming import (
    EXPERIMENT,
    EXPERIMENT_LABEL,
    INSTANCE_LABEL,
    MANAGER_LABEL,
    TASK,
    TRIAL,
    TRIAL_LABEL,
    labels,
    selector,
)
from housectl.kube.client import Manifest
from housectl.kube.kinds import EVENTS, EXPERIMENTS, JOBS, PODS, SUGGESTIONS, TRIALS, Kind
from housectl.kube.objects.base import view
from housectl.kube.objects.events import Event
from housectl.kube.objects.jobs import Job
from housectl.kube.objects.pods import Pod

_V = TypeVar("_V", KatibExperiment, KatibTrial)


class Part(Enum):
    """What a look is made of."""

    MEMBERS = EXPERIMENTS
    SUGGESTIONS = SUGGESTIONS
    TRIALS = TRIALS
    JOBS = JOBS
    PODS = PODS
    SERVICES = "pods of suggestions"
    EVENTS = EVENTS

    @property
    def kind(self) -> Kind:
        """The kind of its objects."""
        return self.value if isinstance(self.value, Kind) else PODS


Selectors = Mapping[Part, str]
Source = Callable[[Part], Sequence[Manifest]]


@dataclass(frozen=True, kw_only=True)
class ExperimentLook:
    """What the cluster has of an experiment at one moment, the members in their order."""

    members: tuple[KatibExperiment, ...]
    suggestions: tuple[Suggestion, ...]
    trials: tuple[KatibTrial, ...]
    jobs: tuple[Job, ...]
    pods: tuple[Pod, ...]
    events: tuple[Event, ...]

    def trials_of(self, member: KatibExperiment) -> list[KatibTrial]:
        """Return the trials of one member."""
        name = member.metadata.name
        return [each for each in self.trials if each.metadata.labels.get(EXPERIMENT_LABEL) == name]


@dataclass(frozen=True, kw_only=True)
class TaskLook:
    """What the cluster has of a task at one moment."""

    jobs: tuple[Job, ...]
    pods: tuple[Pod, ...]
    events: tuple[Event, ...]


def member_selector(name: str) -> str:
    """Return the selector for the Katib Experiments of an experiment."""
    return selector(labels(name, EXPERIMENT))


def pods_selector(name: str) -> str:
    """Return the selector for the pods of an experiment or a task."""
    return selector({INSTANCE_LABEL: name, MANAGER_LABEL: "housectl"})


def experiment_selectors(name: str, members: Sequence[str]) -> Selectors:
    """Return where an experiment's objects are found.

    Katib labels its own objects with their Experiment's name, but the pods of trials only if its
    webhook is there, which then puts the Experiment's component over theirs. Suggestions and events
    have no label.
    """
    of_members = f"{EXPERIMENT_LABEL} in ({','.join(members)})"
    return {
        Part.MEMBERS: member_selector(name),
        Part.SUGGESTIONS: "",
        Part.TRIALS: of_members,
        Part.JOBS: selector(labels(name, TRIAL)),
        Part.PODS: pods_selector(name),
        Part.SERVICES: f"{of_members},!{TRIAL_LABEL}",
        Part.EVENTS: "",
    }


def task_selectors(name: str) -> Selectors:
    """Return where a task's objects are found."""
    of_task = selector(labels(name, TASK))
    return {Part.JOBS: of_task, Part.PODS: of_task, Part.EVENTS: ""}


def experiment_look(source: Source) -> ExperimentLook:
    """Look at an experiment."""
    members = list(_staying(view(KatibExperiment, each) for each in source(Part.MEMBERS)))
    members.sort(key=lambda each: (str(each.metadata.creation_timestamp), each.metadata.name))
    names = {member.metadata.name for member in members}
    trials = _staying(view(KatibTrial, each) for each in source(Part.TRIALS))
    suggestions = [view(Suggestion, each) for each in source(Part.SUGGESTIONS)]
    return ExperimentLook(
        members=tuple(members),
        suggestions=tuple(each for each in suggestions if each.metadata.name in names),
        # Trials go some moments after the member that they are of.
        trials=tuple(each for each in trials if each.metadata.labels[EXPERIMENT_LABEL] in names),
        jobs=tuple(view(Job, each) for each in source(Part.JOBS)),
        pods=tuple(view(Pod, each) for part in (Part.PODS, Part.SERVICES) for each in source(part)),
        events=_events(source, names),
    )


def task_look(source: Source, name: str) -> TaskLook:
    """Look at a task."""
    return TaskLook(
        jobs=tuple(view(Job, each) for each in source(Part.JOBS)),
        pods=tuple(view(Pod, each) for each in source(Part.PODS)),
        events=_events(source, {name}),
    )


def _staying(objects: Iterable[_V]) -> Iterator[_V]:
    """Yield the objects that nobody has deleted; Katib's finalizers keep the others for a while."""
    return (each for each in objects if each.metadata.deletion_timestamp is None)


def _events(source: Source, names: set[str]) -> tuple[Event, ...]:
    """Return the events about claims, and about objects that begin with one of the names."""
    beginnings = tuple(names)
    return tuple(view(Event, each) for each in source(Part.EVENTS) if _concerns(each, beginnings))


def _concerns(event: Manifest, beginnings: tuple[str, ...]) -> bool:
    involved = event.get("involvedObject")
    if not isinstance(involved, Mapping):
        return False
    name, kind = str(involved.get("name", "")), involved.get("kind")
    return kind == "PersistentVolumeClaim" or name.startswith(beginnings)
