"""Short experiments and tasks, and functions that wait for them."""

import time
from collections.abc import Callable
from dataclasses import replace

from housectl.backends.base import Backend, Handle, Snapshot, Task, TaskKind
from housectl.contract.families import Family
from housectl.contract.inputs import Inputs
from housectl.contract.parameters import Assignment
from housectl.experiment import (
    Budget,
    Experiment,
    Limits,
    Parameter,
    ParameterKind,
    SearchSpace,
    Trial,
    TrialState,
)

SMALL_FOREST = SearchSpace(
    parameters=(
        Parameter(name="max_features", kind=ParameterKind.DOUBLE, minimum=0.15, maximum=1),
        Parameter(name="min_samples_leaf", kind=ParameterKind.INT, minimum=1, maximum=8),
    ),
    fixed={"n_estimators": 20},
)

_TIMEOUT_SECONDS = 300.0


SMALL_BOOSTING = SearchSpace(
    parameters=(Parameter(name="max_depth", kind=ParameterKind.INT, minimum=1, maximum=4),),
    fixed={"n_estimators": 20},
)


def experiment(
    name: str,
    *,
    space: SearchSpace = SMALL_FOREST,
    budget: Budget | None = None,
    workers: int = 2,
) -> Experiment:
    return Experiment(
        name=name,
        spaces={Family.RANDOM_FOREST: space},
        budget=budget or Budget(trials=4),
        limits=Limits(seconds=120),
        workers=workers,
        seed=5,
    )


def two_family_experiment(name: str) -> Experiment:
    """Return an experiment with one trial for each family."""
    base = experiment(name, budget=Budget(trials=2))
    spaces = {Family.RANDOM_FOREST: SMALL_FOREST, Family.XGBOOST: SMALL_BOOSTING}
    return replace(base, spaces=spaces)


def failing_experiment(name: str) -> Experiment:
    """Return an experiment whose trials fail: no forest has their parameter."""
    space = SearchSpace(parameters=SMALL_FOREST.parameters, fixed={"n_leaves": 3})
    return experiment(name, space=space, budget=Budget(trials=50, max_failed=2))


def seal_task(name: str, assignment: Assignment, *, model_sha256: str | None = None) -> Task:
    return Task(
        name=name,
        kind=TaskKind.SEAL,
        family=Family.RANDOM_FOREST,
        assignment=assignment,
        model_sha256=model_sha256,
    )


def submit(backend: Backend, work: Experiment | Task, inputs: Inputs) -> Handle:
    return backend.submit(work, inputs=inputs, image="housectl-trainer:dev")


def wait_until(backend: Backend, handle: Handle, condition: Callable[[Snapshot], bool]) -> Snapshot:
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while not condition(snapshot := backend.observe(handle)):
        assert not snapshot.state.ended, snapshot
        assert time.monotonic() < deadline, snapshot
        backend.wait(handle, snapshot, timeout=60)
    return snapshot


def wait_for_end(backend: Backend, handle: Handle) -> Snapshot:
    return wait_until(backend, handle, lambda snapshot: snapshot.state.ended)


def wait_until_finished(backend: Backend, handle: Handle, trials: int) -> Snapshot:
    return wait_until(backend, handle, lambda snapshot: len(finished_trials(snapshot)) >= trials)


def finished_trials(snapshot: Snapshot) -> list[Trial]:
    return [trial for trial in snapshot.trials if trial.state is not TrialState.RUNNING]


def results_of(snapshot: Snapshot) -> list[tuple[int, Assignment, float | None, int | None]]:
    """Return the results that must not depend on timing."""
    return [
        (trial.number, trial.assignment, trial.mse, trial.pruned_after) for trial in snapshot.trials
    ]
