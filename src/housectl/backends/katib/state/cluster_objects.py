"""All objects of an experiment, or of a task, on the cluster."""

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
from housectl.backends.katib.labels_and_paths import (
    EXPERIMENT,
    EXPERIMENT_LABEL,
    TASK,
    TRIAL,
    TRIAL_LABEL,
    labels,
    owned_selector,
    selector,
)
from housectl.backends.katib.plan.sub_experiments import searches_all_families
from housectl.kube.kinds import EVENTS, JOBS, PODS, Kind
from housectl.kube.objects.base import Manifest, parse
from housectl.kube.objects.events import Event
from housectl.kube.objects.jobs import Job
from housectl.kube.objects.pods import Pod

_V = TypeVar("_V", KatibExperiment, KatibTrial)


class ResourceGroup(Enum):
    """A group of objects that one request lists."""

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
ListObjects = Callable[[ResourceGroup], Sequence[Manifest]]


@dataclass(frozen=True, kw_only=True)
class ExperimentObjects:
    """The objects of an experiment at one moment; sub-experiments in the order of creation."""

    sub_experiments: tuple[KatibExperiment, ...]
    suggestions: tuple[Suggestion, ...]
    trials: tuple[KatibTrial, ...]
    jobs: tuple[Job, ...]
    pods: tuple[Pod, ...]
    events: tuple[Event, ...]

    @property
    def algorithm(self) -> str:
        """Name of the algorithm that chooses assignments."""
        return self.sub_experiments[0].spec.algorithm.algorithm_name

    @property
    def is_one_list(self) -> bool:
        """True if the trials of all families and generations are one numbered list."""
        return searches_all_families(self.algorithm)

    def trials_of(self, sub_experiment: KatibExperiment) -> list[KatibTrial]:
        """Return the trials of one sub-experiment."""
        name = sub_experiment.metadata.name
        return [
            trial for trial in self.trials if trial.metadata.labels.get(EXPERIMENT_LABEL) == name
        ]


@dataclass(frozen=True, kw_only=True)
class TaskObjects:
    """The objects of a task at one moment."""

    jobs: tuple[Job, ...]
    pods: tuple[Pod, ...]
    events: tuple[Event, ...]


def experiments_selector(name: str) -> str:
    """Return the selector for the Katib Experiments of an experiment."""
    return selector(labels(name, EXPERIMENT))


def experiment_selectors(name: str, sub_experiments: Sequence[str]) -> Selectors:
    """Return the selectors for the objects of an experiment.

    Katib labels its own objects with the name of their Experiment. It labels the pods of trials
    only if its webhook runs, and then overwrites their component with the Experiment's.
    Suggestions and events have no label.
    """
    owned = f"{EXPERIMENT_LABEL} in ({','.join(sub_experiments)})"
    return {
        ResourceGroup.EXPERIMENTS: experiments_selector(name),
        ResourceGroup.SUGGESTIONS: "",
        ResourceGroup.TRIALS: owned,
        ResourceGroup.JOBS: selector(labels(name, TRIAL)),
        ResourceGroup.PODS: owned_selector(name),
        ResourceGroup.SUGGESTION_PODS: f"{owned},!{TRIAL_LABEL}",
        ResourceGroup.EVENTS: "",
    }


def task_selectors(name: str) -> Selectors:
    """Return the selectors for the objects of a task."""
    owned = selector(labels(name, TASK))
    return {ResourceGroup.JOBS: owned, ResourceGroup.PODS: owned, ResourceGroup.EVENTS: ""}


def list_experiment_objects(list_objects: ListObjects) -> ExperimentObjects:
    """Return the objects of an experiment."""
    experiments = (parse(KatibExperiment, item) for item in list_objects(ResourceGroup.EXPERIMENTS))
    sub_experiments = sorted(_not_deleted(experiments), key=_creation_order)
    names = {item.metadata.name for item in sub_experiments}
    trials = _not_deleted(parse(KatibTrial, item) for item in list_objects(ResourceGroup.TRIALS))
    suggestions = [parse(Suggestion, item) for item in list_objects(ResourceGroup.SUGGESTIONS)]
    return ExperimentObjects(
        sub_experiments=tuple(sub_experiments),
        suggestions=tuple(item for item in suggestions if item.metadata.name in names),
        # Trials disappear some moments after their sub-experiment.
        trials=tuple(item for item in trials if item.metadata.labels[EXPERIMENT_LABEL] in names),
        jobs=tuple(parse(Job, item) for item in list_objects(ResourceGroup.JOBS)),
        pods=tuple(
            parse(Pod, item)
            for group in (ResourceGroup.PODS, ResourceGroup.SUGGESTION_PODS)
            for item in list_objects(group)
        ),
        events=_events(list_objects, names),
    )


def list_task_objects(list_objects: ListObjects, name: str) -> TaskObjects:
    """Return the objects of a task."""
    return TaskObjects(
        jobs=tuple(parse(Job, item) for item in list_objects(ResourceGroup.JOBS)),
        pods=tuple(parse(Pod, item) for item in list_objects(ResourceGroup.PODS)),
        events=_events(list_objects, {name}),
    )


def _not_deleted(objects: Iterable[_V]) -> Iterator[_V]:
    """Yield the objects that are not being deleted; finalizers of Katib delay the deletion."""
    return (item for item in objects if item.metadata.deletion_timestamp is None)


def _creation_order(sub_experiment: KatibExperiment) -> tuple[str, str]:
    metadata = sub_experiment.metadata
    return str(metadata.creation_timestamp), metadata.name


def _events(list_objects: ListObjects, names: set[str]) -> tuple[Event, ...]:
    """Return the events about PVCs, and about objects whose name starts with one of the names."""
    prefixes = tuple(names)
    return tuple(
        parse(Event, item)
        for item in list_objects(ResourceGroup.EVENTS)
        if _is_relevant(item, prefixes)
    )


def _is_relevant(event: Manifest, prefixes: tuple[str, ...]) -> bool:
    involved = event.get("involvedObject")
    if not isinstance(involved, Mapping):
        return False
    name, kind = str(involved.get("name", "")), involved.get("kind")
    return kind == "PersistentVolumeClaim" or name.startswith(prefixes)
