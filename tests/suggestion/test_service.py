"""The service as a process: it suggests the trials of a local search, and has no memory."""

import random
import signal
from collections.abc import Callable, Iterator

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckResponse

from housectl.contract.families import Family
from housectl.contract.parameters import Assignment
from housectl.experiment import Budget, Experiment, Limits, Parameter, ParameterKind, SearchSpace
from housectl.search.katib_texts import (
    EarlierTrial,
    read_assignment_texts,
    suggestion_texts,
    trial_name,
    trial_number,
)
from housectl.search.sampler import rival_of, suggest
from housectl_suggestion.search_setting import MAX_TRIALS
from housectl_suggestion.server import MAX_MESSAGE_BYTES
from housectl_suggestion.suggestion_pb2 import GetSuggestionsRequest, Trial
from tests.suggestion.katib_client import KatibSearch, Service, running_service, texts_of

pytestmark = pytest.mark.slow

SPACES = {
    Family.RANDOM_FOREST: SearchSpace(
        parameters=(
            Parameter(name="max_features", kind=ParameterKind.DOUBLE, minimum=0.15, maximum=1),
            Parameter(name="min_samples_leaf", kind=ParameterKind.INT, minimum=1, maximum=8),
        ),
        fixed={"n_estimators": 300},
        enqueued=({"max_features": 1 / 3, "min_samples_leaf": 1},),
    ),
    Family.XGBOOST: SearchSpace(
        parameters=(
            Parameter(
                name="learning_rate",
                kind=ParameterKind.DOUBLE,
                minimum=0.01,
                maximum=0.3,
                log=True,
            ),
            Parameter(
                name="grow_policy",
                kind=ParameterKind.CATEGORICAL,
                choices=("depthwise", "lossguide"),
            ),
        ),
        enqueued=({"learning_rate": 0.05, "grow_policy": "depthwise"},),
    ),
}
EXPERIMENT = Experiment(
    name="boston",
    spaces=SPACES,
    budget=Budget(trials=24),
    limits=Limits(),
    workers=4,
    seed=7,
)
FAILED = {3, 11}
TRIALS = 24


def objective(number: int, assignment: Assignment) -> float:
    rate = float(assignment.get("learning_rate", assignment.get("max_features", 1.0)))
    return 10 + abs(rate - 0.2) + 0.01 * number


def local_list(experiment: Experiment = EXPERIMENT) -> list[dict[str, str]]:
    """Return the parameter values of a search without Katib."""
    assignments: list[Assignment] = []
    objectives: dict[int, float] = {}
    texts = []
    for number in range(TRIALS):
        assignment = suggest(experiment, number, earlier=assignments, objectives=objectives)
        rival = rival_of(number, objectives, lag=experiment.lag) if experiment.prune else None
        texts.append(suggestion_texts(experiment, number, assignment, rival=rival))
        assignments.append(assignment)
        if number not in FAILED:
            objectives[number] = objective(number, assignment)
    return texts


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with running_service() as started:
        yield started


def number_of(trial: Trial) -> int:
    number = trial_number(EXPERIMENT, trial.name)
    assert number is not None
    return number


def end(search: KatibSearch, trial: Trial) -> None:
    """End a trial as its number determines: some fail, and some of these lose their metric."""
    number = number_of(trial)
    if number not in FAILED:
        assignment = read_assignment_texts(EXPERIMENT, number, texts_of(trial))
        search.end(trial.name, objective(number, assignment))
    elif number % 2:
        search.fail(trial.name)
    else:
        search.lose_metric(trial.name)


def start_trials(search: KatibSearch, service: Service, count: int) -> list[Trial]:
    """Start trials; none if the next one has to wait for the result of another."""
    try:
        return search.run(service, count)
    except grpc.RpcError as error:
        if error.code() is grpc.StatusCode.ABORTED:
            return []
        raise


def run_search(
    search: KatibSearch,
    get_service: Callable[[], Service],
    *,
    trials: int = TRIALS,
    parallel: int,
    order: random.Random,
) -> list[Trial]:
    """Search as Katib does, with trials that end in a random order."""
    started: list[Trial] = []
    running: list[Trial] = []
    while len(started) < trials or running:
        count = min(parallel - len(running), trials - len(started))
        if count:
            new = start_trials(search, get_service(), count)
            started += new
            running += new
        ended = running.pop(order.randrange(len(running)))
        end(search, ended)
    return started


@pytest.mark.parametrize("parallel", [1, 3, 8])
def test_service_suggests_the_local_list(service: Service, parallel: int) -> None:
    search = KatibSearch(experiment=EXPERIMENT)
    started = run_search(search, lambda: service, parallel=parallel, order=random.Random(parallel))
    assert [trial.name for trial in started] == [
        trial_name(EXPERIMENT, number) for number in range(TRIALS)
    ]
    assert [texts_of(trial) for trial in started] == local_list()


def test_killed_service_continues_the_list() -> None:
    search = KatibSearch(experiment=EXPERIMENT)
    trials = []
    for seed in range(2):
        with running_service() as started:
            trials += run_search(
                search, lambda: started, trials=TRIALS // 2, parallel=4, order=random.Random(seed)
            )
            started.process.kill()
    assert [texts_of(trial) for trial in trials] == local_list()


def test_resumed_search_continues_the_list(service: Service) -> None:
    first = KatibSearch(experiment=EXPERIMENT)
    before = run_search(first, lambda: service, trials=12, parallel=3, order=random.Random(1))
    interrupted = {5, 10, 11}
    resumed = KatibSearch(
        experiment=EXPERIMENT,
        name="boston-2",
        earlier=tuple(
            EarlierTrial(
                number=number,
                assignment=dict(read_assignment_texts(EXPERIMENT, number, texts_of(trial))),
                mse=None
                if number in FAILED
                else objective(number, read_assignment_texts(EXPERIMENT, number, texts_of(trial))),
            )
            for number, trial in enumerate(before)
            if number not in interrupted
        ),
    )
    after = run_search(
        resumed, lambda: service, trials=TRIALS - 9, parallel=3, order=random.Random(2)
    )
    numbers = [number_of(trial) for trial in after]
    assert numbers == [*sorted(interrupted), *range(12, TRIALS)]
    expected = local_list()
    assert [texts_of(trial) for trial in after] == [expected[number] for number in numbers]


def test_lost_suggestions_are_made_again(service: Service) -> None:
    search = KatibSearch(experiment=EXPERIMENT)
    run_search(search, lambda: service, trials=12, parallel=4, order=random.Random(0))
    again = service.ask(
        GetSuggestionsRequest(
            experiment=search.katib_experiment,
            trials=search.trials.values(),
            current_request_number=14,
            total_request_number=14,
        )
    )
    texts = [{each.name: each.value for each in reply.assignments} for reply in again]
    expected = local_list()
    assert texts == expected[:14]


def test_suggestion_waits_for_the_trial_it_depends_on(service: Service) -> None:
    search = KatibSearch(experiment=EXPERIMENT)
    for _ in range(8):
        (trial,) = search.run(service, 1)
        if trial.name != "boston-0000":
            end(search, trial)
    with pytest.raises(grpc.RpcError) as caught:
        search.run(service, 1)
    assert caught.value.code() is grpc.StatusCode.ABORTED
    assert caught.value.details().startswith("waiting for trial boston-0000,")
    end(search, search.trials["boston-0000"])
    assert [trial.name for trial in search.run(service, 1)] == ["boston-0008"]


@pytest.mark.parametrize("value", ["", "unavailable", "nan", "inf"])
def test_success_without_a_number_is_a_failure(service: Service, value: str) -> None:
    search = KatibSearch(experiment=EXPERIMENT)
    for trial in search.run(service, 8):
        search.end(trial.name, value)
    (trial,) = search.run(service, 1)
    assert texts_of(trial)["rival"] == "none"


def test_rival_is_the_best_trial_before_the_lag(service: Service) -> None:
    search = KatibSearch(experiment=EXPERIMENT)
    for number, trial in enumerate(search.run(service, 8)):
        search.end(trial.name, 20 - number)
    started = search.run(service, 3)
    assert [texts_of(trial)["rival"] for trial in started] == [
        "boston-0000",
        "boston-0001",
        "boston-0002",
    ]


def test_trials_of_two_experiments_with_one_name_are_an_error(service: Service) -> None:
    search = KatibSearch(experiment=EXPERIMENT)
    (trial,) = search.run(service, 1)
    search.trials["copy"] = trial
    with pytest.raises(grpc.RpcError) as caught:
        search.run(service, 1)
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert "Two trials have the name boston-0000" in caught.value.details()


@pytest.mark.parametrize(("count", "total"), [(-1, 0), (2, 1), (1001, 1001), (1, MAX_TRIALS + 1)])
def test_amount_is_bounded(service: Service, count: int, total: int) -> None:
    request = KatibSearch(experiment=EXPERIMENT).request(1)
    request.current_request_number = count
    request.total_request_number = total
    with pytest.raises(grpc.RpcError) as caught:
        service.ask(request)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_size_is_bounded(service: Service) -> None:
    request = KatibSearch(experiment=EXPERIMENT).request(1)
    request.experiment.name = "e" * (MAX_MESSAGE_BYTES + 1)
    with pytest.raises(grpc.RpcError) as caught:
        service.ask(request)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert service.health() == HealthCheckResponse.SERVING


def test_health_has_the_name_that_katib_probes(service: Service) -> None:
    assert service.health("manager.v1beta1.Suggestion") == HealthCheckResponse.SERVING
    with pytest.raises(grpc.RpcError) as caught:
        service.health("other")
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_the_service(number: signal.Signals) -> None:
    with running_service() as started:
        started.process.send_signal(number)
        _, log = started.process.communicate(timeout=60)
        assert started.process.returncode == 0
    assert "Traceback" not in log


def test_log_has_one_line_for_each_request() -> None:
    search = KatibSearch(experiment=EXPERIMENT)
    with running_service() as started:
        started.validate(search.katib_experiment)
        search.run(started, 2)
        started.health()
        started.process.send_signal(signal.SIGTERM)
        _, log = started.process.communicate(timeout=60)
    messages = [line.split(" INFO ")[1] for line in log.splitlines()]
    assert messages[0] == "boston: valid settings"
    assert messages[1].startswith("boston: boston-0000 to boston-0001 after 0 trials, in ")
    assert messages[2:] == ["stopping"]
