"""Groups of objects that one request lists and one watch follows."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from housectl.backends.katib.katib_objects import (
    EXPERIMENTS,
    TRIALS,
    KatibExperiment,
    KatibTrial,
)
from housectl.backends.katib.labels_and_paths import JOB_LABEL
from housectl.errors import NotFoundError
from housectl.kube.client import Kube, Listing
from housectl.kube.kinds import EVENTS, JOBS, PODS, Kind
from housectl.kube.objects.base import NamedObject
from housectl.kube.objects.events import Event
from housectl.kube.objects.jobs import Job
from housectl.kube.objects.pods import Pod

_V = TypeVar("_V", bound=NamedObject)
_V_co = TypeVar("_V_co", bound=NamedObject, covariant=True)

# Each one costs a request, and some tens of causes explain a search.
_MAX_UNLISTED_TRIALS = 50


@dataclass(frozen=True, kw_only=True)
class ResourceGroup(Generic[_V_co]):
    """A group of objects.

    Attributes:
        fields: Field selector of the list. A watch has none: it reports the later changes of all
            objects.
        read_unlisted: Returns the objects of these trials. The field selector leaves out the
            successful jobs and pods, of which diagnosis needs a few.
    """

    name: str
    kind: Kind
    model: type[_V_co]
    fields: str = ""
    read_unlisted: Callable[[Kube, Sequence[str]], Sequence[_V_co]] | None = None


@dataclass(frozen=True)
class Selection:
    """The objects of a group that belong to one experiment or task.

    Attributes:
        labels: Label selector.
        names: Starts of the names of objects whose events belong to it.
    """

    labels: str = ""
    names: tuple[str, ...] = ()

    def accepts(self, item: NamedObject) -> bool:
        """Return False for an event about another experiment or task; events have no labels."""
        if not isinstance(item, Event):
            return True
        involved = item.involved_object
        return involved.kind == "PersistentVolumeClaim" or involved.name.startswith(self.names)


Selections = Mapping[ResourceGroup[NamedObject], Selection]


class ObjectSource(Protocol):
    """Returns the objects of a group."""

    def __call__(self, group: ResourceGroup[_V]) -> Sequence[_V]:
        """Return the selected objects of a group."""


def list_group(
    kube: Kube, group: ResourceGroup[_V], selection: Selection, trials: Iterable[KatibTrial] = ()
) -> Listing[_V]:
    """List the objects of a group.

    Args:
        kube: A client for their namespace.
        group: The group.
        selection: The objects of one experiment or task.
        trials: The trials that own the objects, if the list of the group is incomplete.
    """
    listing = kube.list(group.kind, group.model, labels=selection.labels, fields=group.fields)
    items = [item for item in listing.items if selection.accepts(item)]
    if group.read_unlisted:
        names = _unlisted_trials(trials, {_trial_name(item) for item in items})
        items += group.read_unlisted(kube, names)
    return Listing(items=tuple(items), version=listing.version)


def needs_diagnosis(trial: KatibTrial) -> bool:
    """Return True unless a trial has succeeded with an objective."""
    return not trial.has_succeeded or trial.objective is None


def _unlisted_trials(trials: Iterable[KatibTrial], listed: Container[str]) -> list[str]:
    """Return the names of trials without a listed object, those that may be stuck first."""
    unlisted = [
        trial for trial in trials if trial.metadata.name not in listed and needs_diagnosis(trial)
    ]
    unlisted.sort(key=lambda trial: trial.has_ended)
    return [trial.metadata.name for trial in unlisted[:_MAX_UNLISTED_TRIALS]]


def _trial_name(item: NamedObject) -> str:
    """Return the name of the trial that a job or pod belongs to."""
    return item.metadata.labels.get(JOB_LABEL, item.metadata.name)


def _read_jobs(kube: Kube, names: Sequence[str]) -> list[Job]:
    jobs = []
    for name in names:
        with suppress(NotFoundError):
            jobs.append(kube.get(JOBS, name, Job))
    return jobs


def _read_pods(kube: Kube, names: Sequence[str]) -> Sequence[Pod]:
    labels = f"{JOB_LABEL} in ({','.join(names)})"
    return kube.list_as(PODS, Pod, labels=labels) if names else ()


EXPERIMENT_GROUP = ResourceGroup(name="experiments", kind=EXPERIMENTS, model=KatibExperiment)
TRIAL_GROUP = ResourceGroup(name="trials", kind=TRIALS, model=KatibTrial)
# Most trials of a long search have succeeded. Their jobs and pods explain nothing.
JOB_GROUP = ResourceGroup(
    name="jobs", kind=JOBS, model=Job, fields="status.successful=0", read_unlisted=_read_jobs
)
POD_GROUP = ResourceGroup(
    name="pods", kind=PODS, model=Pod, fields="status.phase!=Succeeded", read_unlisted=_read_pods
)
SERVICE_POD_GROUP = ResourceGroup(name="pods of suggestions", kind=PODS, model=Pod)
TASK_JOB_GROUP = ResourceGroup(name="jobs of a task", kind=JOBS, model=Job)
TASK_POD_GROUP = ResourceGroup(name="pods of a task", kind=PODS, model=Pod)
# No probe reads events of these reasons, and every trial has some.
EVENT_GROUP = ResourceGroup(
    name="events", kind=EVENTS, model=Event, fields="reason!=Created,reason!=Completed"
)
