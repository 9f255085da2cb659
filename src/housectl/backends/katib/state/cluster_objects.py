"""One look at all objects of an experiment, or of a task."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from housectl.backends.katib.katib_objects import (
    EXPERIMENTS,
    SUGGESTIONS,
    TRIALS,
    KatibExperiment,
    KatibTrial,
    Suggestion,
)
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
from housectl.kube.kinds import EVENTS, JOBS, PODS, Kind
from housectl.kube.objects.base import parse
from housectl.kube.objects.events import Event
from housectl.kube.objects.jobs import Job
from housectl.kube.objects.pods import Pod

_V = TypeVar("_V", KatibExperiment, KatibTrial)


class ResourceGroup(Enum):
    """What a look is made of."""

    EXPERIMENTS = EXPERIMENTS
    SUGGESTIONS = SUGGESTIONS
    TRIALS = TRIALS
    JOBS = JOBS
    PODS = PODS
    SUGGESTION_PODS = "pods of suggestions"
    EVENTS = EVENTS

    @property
    def kind(self) -> Kind:
        """The kind of its objects."""
        return self.value if isinstance(self.value, Kind) else PODS


Selectors = Mapping[ResourceGroup, str]
Source = Callable[[ResourceGroup], Sequence[Manifest]]


@dataclass(frozen=True, kw_only=True)
class ExperimentObjects:
    """What the cluster has of an experiment at one moment, the members in their order."""

    sub_experiments: tuple[KatibExperiment, ...]
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
class TaskObjects:
    """What the cluster has of a task at one moment."""

    jobs: tuple[Job, ...]
    pods: tuple[Pod, ...]
    events: tuple[Event, ...]


def experiments_selector(name: str) -> str:
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
        ResourceGroup.EXPERIMENTS: experiments_selector(name),
        ResourceGroup.SUGGESTIONS: "",
        ResourceGroup.TRIALS: of_members,
        ResourceGroup.JOBS: selector(labels(name, TRIAL)),
        ResourceGroup.PODS: pods_selector(name),
        ResourceGroup.SUGGESTION_PODS: f"{of_members},!{TRIAL_LABEL}",
        ResourceGroup.EVENTS: "",
    }


def task_selectors(name: str) -> Selectors:
    """Return where a task's objects are found."""
    of_task = selector(labels(name, TASK))
    return {ResourceGroup.JOBS: of_task, ResourceGroup.PODS: of_task, ResourceGroup.EVENTS: ""}


def list_experiment_objects(source: Source) -> ExperimentObjects:
    """Look at an experiment."""
    members = list(
        _staying(parse(KatibExperiment, each) for each in source(ResourceGroup.EXPERIMENTS))
    )
    members.sort(key=lambda each: (str(each.metadata.creation_timestamp), each.metadata.name))
    names = {member.metadata.name for member in members}
    trials = _staying(parse(KatibTrial, each) for each in source(ResourceGroup.TRIALS))
    suggestions = [parse(Suggestion, each) for each in source(ResourceGroup.SUGGESTIONS)]
    return ExperimentObjects(
        sub_experiments=tuple(members),
        suggestions=tuple(each for each in suggestions if each.metadata.name in names),
        # Trials go some moments after the member that they are of.
        trials=tuple(each for each in trials if each.metadata.labels[EXPERIMENT_LABEL] in names),
        jobs=tuple(parse(Job, each) for each in source(ResourceGroup.JOBS)),
        pods=tuple(
            parse(Pod, each)
            for part in (ResourceGroup.PODS, ResourceGroup.SUGGESTION_PODS)
            for each in source(part)
        ),
        events=_events(source, names),
    )


def list_task_objects(source: Source, name: str) -> TaskObjects:
    """Look at a task."""
    return TaskObjects(
        jobs=tuple(parse(Job, each) for each in source(ResourceGroup.JOBS)),
        pods=tuple(parse(Pod, each) for each in source(ResourceGroup.PODS)),
        events=_events(source, {name}),
    )


def _staying(objects: Iterable[_V]) -> Iterator[_V]:
    """Yield the objects that nobody has deleted; Katib's finalizers keep the others for a while."""
    return (each for each in objects if each.metadata.deletion_timestamp is None)


def _events(source: Source, names: set[str]) -> tuple[Event, ...]:
    """Return the events about claims, and about objects that begin with one of the names."""
    beginnings = tuple(names)
    return tuple(
        parse(Event, each) for each in source(ResourceGroup.EVENTS) if _concerns(each, beginnings)
    )


def _concerns(event: Manifest, beginnings: tuple[str, ...]) -> bool:
    involved = event.get("involvedObject")
    if not isinstance(involved, Mapping):
        return False
    name, kind = str(involved.get("name", "")), involved.get("kind")
    return kind == "PersistentVolumeClaim" or name.startswith(beginnings)
