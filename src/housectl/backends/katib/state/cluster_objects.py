"""All objects of an experiment, or of a task, on the cluster."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from housectl.backends.katib.katib_objects import KatibExperiment, KatibTrial, Suggestion
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
from housectl.backends.katib.state.resource_groups import (
    EVENT_GROUP,
    EXPERIMENT_GROUP,
    JOB_GROUP,
    POD_GROUP,
    SERVICE_POD_GROUP,
    TASK_JOB_GROUP,
    TASK_POD_GROUP,
    TRIAL_GROUP,
    ObjectSource,
    Selection,
    Selections,
    needs_diagnosis,
)
from housectl.kube.objects.events import Event
from housectl.kube.objects.jobs import Job
from housectl.kube.objects.pods import Pod

_V = TypeVar("_V", KatibExperiment, KatibTrial)

ReadSuggestion = Callable[[str], Suggestion | None]


@dataclass(frozen=True, kw_only=True)
class ExperimentObjects:
    """The objects of an experiment at one moment; sub-experiments in the order of creation.

    Suggestions, jobs, pods and events are only those that a diagnosis may need.
    """

    sub_experiments: tuple[KatibExperiment, ...]
    suggestions: tuple[Suggestion, ...]
    trials: tuple[KatibTrial, ...]
    jobs: tuple[Job, ...]
    pods: tuple[Pod, ...]
    events: tuple[Event, ...]

    @classmethod
    def without_trials(cls, experiments: Iterable[KatibExperiment]) -> "ExperimentObjects":
        """Return the sub-experiments that are not being deleted, without any other objects."""
        return cls(
            sub_experiments=_in_order(experiments),
            suggestions=(),
            trials=(),
            jobs=(),
            pods=(),
            events=(),
        )

    @property
    def algorithm(self) -> str:
        """Name of the algorithm that chooses assignments."""
        return self.sub_experiments[0].spec.algorithm.algorithm_name

    @property
    def is_one_list(self) -> bool:
        """True if the trials of all families and generations are one numbered list."""
        return searches_all_families(self.algorithm)

    def trials_of(self, sub_experiment: KatibExperiment) -> Sequence[KatibTrial]:
        """Return the trials of one sub-experiment."""
        return self._trials_by_owner.get(sub_experiment.metadata.name, ())

    @cached_property
    def _trials_by_owner(self) -> dict[str, list[KatibTrial]]:
        return trials_by_owner(self.trials)


@dataclass(frozen=True, kw_only=True)
class TaskObjects:
    """The objects of a task at one moment."""

    jobs: tuple[Job, ...]
    pods: tuple[Pod, ...]
    events: tuple[Event, ...]


def experiments_selector(name: str) -> str:
    """Return the selector for the Katib Experiments of an experiment."""
    return selector(labels(name, EXPERIMENT))


def experiment_selections(name: str, sub_experiments: Sequence[str]) -> Selections:
    """Return the selections of the objects of an experiment.

    Katib labels its own objects with the name of their Experiment. It labels the pods of trials
    only if its webhook runs, and then overwrites their component with the Experiment's.
    """
    owned = f"{EXPERIMENT_LABEL} in ({','.join(sub_experiments)})"
    return {
        EXPERIMENT_GROUP: Selection(experiments_selector(name)),
        TRIAL_GROUP: Selection(owned),
        JOB_GROUP: Selection(selector(labels(name, TRIAL))),
        POD_GROUP: Selection(owned_selector(name)),
        SERVICE_POD_GROUP: Selection(f"{owned},!{TRIAL_LABEL}"),
        EVENT_GROUP: Selection(names=tuple(sub_experiments)),
    }


def task_selections(name: str) -> Selections:
    """Return the selections of the objects of a task."""
    owned = selector(labels(name, TASK))
    return {
        TASK_JOB_GROUP: Selection(owned),
        TASK_POD_GROUP: Selection(owned),
        EVENT_GROUP: Selection(names=(name,)),
    }


def list_experiment_objects(
    list_objects: ObjectSource, read_suggestion: ReadSuggestion
) -> ExperimentObjects:
    """Return the objects of an experiment.

    Args:
        list_objects: Returns the objects of a resource group.
        read_suggestion: Returns the Suggestion of a sub-experiment; None if it does not exist.
    """
    experiments = list_objects(EXPERIMENT_GROUP)
    sub_experiments = _in_order(experiments)
    names = {item.metadata.name for item in sub_experiments}
    # Trials disappear some moments after their sub-experiment.
    trials = tuple(
        item
        for item in not_deleted(list_objects(TRIAL_GROUP))
        if item.metadata.labels[EXPERIMENT_LABEL] in names
    )
    suspects = _suspects(sub_experiments, trials)
    is_complete = not suspects and not any(map(needs_diagnosis, trials))
    return ExperimentObjects(
        sub_experiments=sub_experiments,
        suggestions=tuple(filter(None, map(read_suggestion, suspects))),
        trials=trials,
        jobs=() if is_complete else tuple(list_objects(JOB_GROUP)),
        pods=() if is_complete else (*list_objects(POD_GROUP), *list_objects(SERVICE_POD_GROUP)),
        events=() if is_complete else tuple(list_objects(EVENT_GROUP)),
    )


def list_task_objects(list_objects: ObjectSource) -> TaskObjects:
    """Return the objects of a task."""
    return TaskObjects(
        jobs=tuple(list_objects(TASK_JOB_GROUP)),
        pods=tuple(list_objects(TASK_POD_GROUP)),
        events=tuple(list_objects(EVENT_GROUP)),
    )


def trials_by_owner(trials: Iterable[KatibTrial]) -> dict[str, list[KatibTrial]]:
    """Return trials by the names of their sub-experiments."""
    by_owner: dict[str, list[KatibTrial]] = {}
    for trial in trials:
        by_owner.setdefault(trial.metadata.labels.get(EXPERIMENT_LABEL, ""), []).append(trial)
    return by_owner


def _suspects(
    sub_experiments: Sequence[KatibExperiment], trials: Iterable[KatibTrial]
) -> list[str]:
    """Return the names of sub-experiments whose Suggestion may be the cause of a problem.

    While a trial is active, the search waits for that trial. A Suggestion has a megabyte if its
    search is long, so it is read only when it is needed.
    """
    busy = {
        trial.metadata.labels.get(EXPERIMENT_LABEL, "") for trial in trials if not trial.has_ended
    }
    return [
        item.metadata.name
        for item in sub_experiments
        if item.has_failed or not (item.has_ended or item.metadata.name in busy)
    ]


def not_deleted(objects: Iterable[_V]) -> Iterator[_V]:
    """Yield the objects that are not being deleted; finalizers of Katib delay the deletion."""
    return (item for item in objects if item.metadata.deletion_timestamp is None)


def _in_order(experiments: Iterable[KatibExperiment]) -> tuple[KatibExperiment, ...]:
    """Return the sub-experiments that are not being deleted, in the order of their creation."""
    return tuple(sorted(not_deleted(experiments), key=_creation_order))


def _creation_order(sub_experiment: KatibExperiment) -> tuple[str, str]:
    metadata = sub_experiment.metadata
    return str(metadata.creation_timestamp), metadata.name
