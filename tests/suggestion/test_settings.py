"""Settings that the service rejects, with cause and hint."""

from collections.abc import Callable, Iterator
from typing import Any

import grpc
import msgspec
import pytest

from housectl.search.katib_texts import SEARCH_SETTING, EarlierTrial
from housectl.search.sampler import SAMPLER_VERSION
from tests.suggestion.katib_client import (
    KatibSearch,
    Service,
    katib_experiment,
    parameter_names,
    running_service,
)
from tests.suggestion.test_service import EXPERIMENT

pytestmark = pytest.mark.slow

PARAMETERS = parameter_names(EXPERIMENT)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with running_service() as started:
        yield started


def rejection(service: Service, settings: dict[str, str]) -> str:
    with pytest.raises(grpc.RpcError) as caught:
        service.validate(katib_experiment(settings, parameters=PARAMETERS))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    details = caught.value.details()
    assert isinstance(details, str)
    assert " hint: housectl " in details
    return details


def setting_text() -> str:
    spec = KatibSearch(experiment=EXPERIMENT).katib_experiment.spec
    return spec.algorithm.algorithm_settings[0].value


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, str]:
    fields = msgspec.json.decode(setting_text())
    change(fields)
    return {SEARCH_SETTING: msgspec.json.encode(fields).decode()}


def test_own_settings_are_valid(service: Service) -> None:
    service.validate(KatibSearch(experiment=EXPERIMENT).katib_experiment)


def test_missing_search_is_rejected(service: Service) -> None:
    assert "setting 'search' is missing" in rejection(service, {"seed": "1"})


def test_other_sampler_is_rejected_with_the_command_that_registers(service: Service) -> None:
    details = rejection(service, changed(lambda fields: fields.update(sampler=SAMPLER_VERSION + 1)))
    assert f"has sampler {SAMPLER_VERSION}, but" in details
    assert details.partition(" hint: ")[2].startswith("housectl cluster init")


def test_newer_format_is_rejected(service: Service) -> None:
    details = rejection(service, changed(lambda fields: fields.update(schema_version=99)))
    assert "has format 99" in details


def test_unknown_family_is_rejected(service: Service) -> None:
    def add(fields: dict[str, Any]) -> None:
        spaces = fields["experiment"]["spaces"]
        spaces["neural-network"] = spaces.pop("xgboost")

    assert "neural-network" in rejection(service, changed(add))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', "[" * 5000])
def test_malformed_search_is_rejected(service: Service, text: str) -> None:
    details = rejection(service, {SEARCH_SETTING: text})
    assert "malformed" in details or "has sampler" in details


@pytest.mark.parametrize(
    ("name", "value"), [("lag", 0), ("lag", 512), ("spaces", {}), ("seed", "x")]
)
def test_invalid_experiment_is_rejected(service: Service, name: str, value: object) -> None:
    details = rejection(service, changed(lambda fields: fields["experiment"].update({name: value})))
    assert "malformed" in details


@pytest.mark.parametrize("numbers", [(1, 1), (-1,), (10**9,)])
def test_invalid_earlier_trials_are_rejected(service: Service, numbers: tuple[int, ...]) -> None:
    earlier = [{"number": number, "assignment": {}, "mse": 1.0} for number in numbers]
    details = rejection(service, changed(lambda fields: fields.update(earlier=earlier)))
    assert "earlier trials" in details


def test_parameters_that_differ_from_the_search_are_rejected(service: Service) -> None:
    experiment = katib_experiment({SEARCH_SETTING: setting_text()}, parameters=PARAMETERS[1:])
    with pytest.raises(grpc.RpcError) as caught:
        service.validate(experiment)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "parameters differ" in caught.value.details()
    assert "family" in caught.value.details()


@pytest.mark.parametrize(("ended", "limit"), [((), 8), ((0, 2, 3, 4, 5, 6), 3)])
def test_parallel_trials_that_wait_for_each_other_are_rejected(
    service: Service, ended: tuple[int, ...], limit: int
) -> None:
    search = KatibSearch(
        experiment=EXPERIMENT,
        earlier=tuple(EarlierTrial(number=number, assignment={}) for number in ended),
    )
    experiment = search.katib_experiment
    experiment.spec.parallel_trial_count = limit
    service.validate(experiment)
    experiment.spec.parallel_trial_count = limit + 1
    with pytest.raises(grpc.RpcError) as caught:
        service.validate(experiment)
    assert f"only {limit} of its trials can start" in caught.value.details()
