"""Overviews of experiments, made of Katib's counters; trials are read only where necessary."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from housectl.backends.base import Overview
from housectl.backends.katib.katib_objects import (
    EXPERIMENTS,
    TRIALS,
    KatibExperiment,
    KatibTrial,
)
from housectl.backends.katib.labels_and_paths import EXPERIMENT_LABEL, INSTANCE_LABEL
from housectl.backends.katib.plan.plan_record import find_plan_record
from housectl.backends.katib.state.cluster_objects import (
    ExperimentObjects,
    experiments_selector,
    not_deleted,
    trials_by_owner,
)
from housectl.backends.katib.state.generations import newest_generation
from housectl.backends.katib.state.snapshot import experiment_snapshot, search_state
from housectl.backends.katib.state.trials import timestamp
from housectl.backends.katib.stop_marks import stop_reason
from housectl.experiment import Experiment, ExperimentState
from housectl.kube.client import Kube
from housectl.search.katib_texts import trial_number

# A page of a list: so few trials cost less than the start of a command.
_CHEAP_TRIALS = 500
# The selector of a request is a part of its URL, and a name has up to 40 characters.
_OWNERS_OF_A_LIST = 100


@dataclass(frozen=True, kw_only=True)
class _Search:
    """An experiment with its sub-experiments; `objects` has no trials."""

    experiment: Experiment
    objects: ExperimentObjects

    @property
    def trial_count(self) -> int:
        """Number of all trials."""
        return sum(item.status.trials for item in self.objects.sub_experiments)


def read_overviews(kube: Kube, experiments: Sequence[KatibExperiment]) -> Mapping[str, Overview]:
    """Return the overviews of experiments by name; those in deletion are missing.

    Pruned trials are only counted if all experiments together have few trials.

    Args:
        kube: A client for their namespace.
        experiments: The Katib Experiments of all of them.
    """
    searches = list(_searches(experiments))
    is_cheap = sum(search.trial_count for search in searches) <= _CHEAP_TRIALS
    counted = {} if is_cheap else dict(_counted(searches))
    unclear = [search for search in searches if search.experiment.name not in counted]
    return counted | dict(_read(kube, unclear))


def read_settled(kube: Kube, name: str) -> Overview | None:
    """Return the overview of a long search whose trials all succeeded; None for any other."""
    experiments = kube.list_as(EXPERIMENTS, KatibExperiment, labels=experiments_selector(name))
    for search in _searches(experiments):
        overview = counted_overview(search.experiment, search.objects)
        if overview and overview.trials > _CHEAP_TRIALS and _is_settled(search.objects, overview):
            return overview
    return None


def counted_overview(experiment: Experiment, objects: ExperimentObjects) -> Overview | None:
    """Return the overview that Katib's counters give.

    Args:
        experiment: The submitted experiment.
        objects: Its sub-experiments; trials are not needed.

    Returns:
        None if the counters are not those of the search. After a stop, Katib still counts the
        discarded trials. An optimum that is not a number hides the best trial.
    """
    sub_experiments = objects.sub_experiments
    if any(stop_reason(item) or _hides_best_trial(item) for item in sub_experiments):
        return None
    optima = [(item.optimum, item) for item in sub_experiments if item.optimum is not None]
    mse, best = min(optima, key=lambda pair: pair[0], default=(None, None))
    statuses = [item.status for item in sub_experiments]
    trials = sum(item.trials for item in statuses)
    active = sum(item.active_trials for item in statuses)
    newest = newest_generation(experiment, objects)
    state = search_state(newest, has_trials=trials > 0, usable=mse is not None)
    return Overview(
        state=state,
        trials=trials - active if state.ended else trials,
        running=0 if state.ended else active,
        pruned=None if experiment.prune and objects.is_one_list else 0,
        failed=sum(item.unsuccessful_trials for item in statuses),
        mse=mse,
        best_number=None if best is None else _best_number(experiment, best),
        started=timestamp(sub_experiments[0].metadata.creation_timestamp),
    )


def _is_settled(objects: ExperimentObjects, overview: Overview) -> bool:
    all_ended = all(item.has_ended for item in objects.sub_experiments)
    succeeded = overview.state is ExperimentState.SUCCEEDED and not overview.failed
    return succeeded and all_ended and objects.is_one_list


def _hides_best_trial(sub_experiment: KatibExperiment) -> bool:
    return sub_experiment.status.trials_succeeded > 0 and sub_experiment.optimum is None


def _best_number(experiment: Experiment, sub_experiment: KatibExperiment) -> int | None:
    return trial_number(experiment, sub_experiment.status.current_optimal_trial.best_trial_name)


def _searches(experiments: Iterable[KatibExperiment]) -> Iterator[_Search]:
    """Yield the experiments that are not being deleted."""
    by_name: dict[str, list[KatibExperiment]] = {}
    for item in experiments:
        by_name.setdefault(item.metadata.labels[INSTANCE_LABEL], []).append(item)
    for items in by_name.values():
        record = find_plan_record(item.metadata for item in items)
        objects = ExperimentObjects.without_trials(items)
        if record and record.experiment and objects.sub_experiments:
            yield _Search(experiment=record.experiment, objects=objects)


def _counted(searches: Iterable[_Search]) -> Iterator[tuple[str, Overview]]:
    for search in searches:
        if overview := counted_overview(search.experiment, search.objects):
            yield search.experiment.name, overview


def _read(kube: Kube, searches: Sequence[_Search]) -> Iterator[tuple[str, Overview]]:
    """Yield the overviews of experiments whose trials are read."""
    owners = [item.metadata.name for each in searches for item in each.objects.sub_experiments]
    trials = trials_by_owner(_trials_of(kube, owners))
    for search in searches:
        owned = [trials.get(item.metadata.name, ()) for item in search.objects.sub_experiments]
        snapshot = experiment_snapshot(
            search.experiment,
            replace(search.objects, trials=tuple(trial for group in owned for trial in group)),
            trial_cause=lambda _: None,
            search_cause=lambda _: None,
        )
        yield search.experiment.name, snapshot.overview


def _trials_of(kube: Kube, owners: Sequence[str]) -> Iterator[KatibTrial]:
    for start in range(0, len(owners), _OWNERS_OF_A_LIST):
        names = ",".join(owners[start : start + _OWNERS_OF_A_LIST])
        labels = f"{EXPERIMENT_LABEL} in ({names})"
        yield from not_deleted(kube.list_as(TRIALS, KatibTrial, labels=labels))
