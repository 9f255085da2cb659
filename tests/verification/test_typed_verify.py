"""Verification of a server of a model with categories, booleans, dates and missing values."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from housectl.contract.bundle import Bundle
from housectl.contract.families import Family
from housectl.contract.golden import GoldenSource
from housectl.contract.schema import Transform
from housectl.deadline import Deadline
from housectl.store.local import LocalStore
from housectl.verification.limits import Limits
from housectl.verification.outcome import Outcome
from housectl.verification.verify import Verification, verify
from housectl_trainer.fitting import fit, make_recipe
from housectl_trainer.sealing.seal import checked_graph
from tests.server.bundles import promote, seal_files
from tests.server.running import running, running_bundle
from tests.server.typed_bundles import typed_bundle
from tests.trainer.mixed_data import mixed_dataset
from tests.verification.impostor import Answer, Upstream, impostor
from tests.verification.typed_tricks import WAYS, describing, trick

ACCEPTED = {
    "unknown level is accepted": "rejects unknown level",
    "boolean as text is accepted": "rejects boolean as text",
}
LIMITS = Limits(p99_ms=10_000, request_seconds=30, update_seconds=0.2)


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return typed_bundle(tmp_path_factory.mktemp("champion"))


@pytest.fixture(scope="module")
def upstream(champion: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstream]:
    path = tmp_path_factory.mktemp("server")
    with running_bundle(path, champion) as server:
        yield Upstream(server.url)


def verified(champion: Bundle, answer: Answer) -> Verification:
    with impostor(answer) as url:
        return verify(champion, url, limits=LIMITS, deadline=Deadline.after(LIMITS.run_seconds))


def test_server_of_champion_passes_every_check(champion: Bundle, upstream: Upstream) -> None:
    report = verified(champion, upstream)
    assert report.passed, [check for check in report.checks if not check.passed]
    names = {check.name for check in report.checks}
    assert {
        "rejects null",
        "rejects unknown level",
        "rejects number for text",
        "rejects invalid date",
        "rejects boolean as text",
        "rejects long text",
    } <= names


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "transform"),
    [*((family, None) for family in Family), (Family.LINEAR, Transform.LOG)],
)
def test_server_of_a_trained_model_passes_every_check(
    family: Family, transform: Transform | None, tmp_path: Path
) -> None:
    dataset = mixed_dataset(transform=transform)
    recipe = make_recipe(dataset.shared, family, family.definition.library_defaults)
    model = fit(recipe, dataset.training)
    graph = checked_graph(model, recipe, dataset, GoldenSource.DATA)
    bundle = seal_files(
        tmp_path / "bundle",
        schema=dataset.shared.schema,
        model=graph.content,
        golden_rows=graph.golden,
    )
    store = LocalStore(tmp_path / "store")
    promote(store, bundle)
    with running(store.path, tmp_path / "output.txt") as server:
        report = verified(bundle, Upstream(server.url))
    assert report.passed, [check for check in report.checks if not check.passed]


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_server_that_reads_a_value_wrongly_fails(
    champion: Bundle, upstream: Upstream, way: str
) -> None:
    report = verified(champion, trick(upstream, WAYS[way]))
    mistake = ACCEPTED.get(way)
    assert (mistake or "fresh rows") in report.failed
    assert report.outcome is (Outcome.UNPROVEN if mistake else Outcome.WRONG)
    assert "features in OpenAPI" not in report.failed


@pytest.mark.parametrize(
    ("name", "described", "found"),
    [
        ("rooms", {"type": "number"}, "rooms: number"),
        ("town", {"type": "string", "anyOf": [{"type": "string"}]}, "town: string"),
        ("heating", {"type": "string", "enum": ["gas"]}, "heating: other levels"),
        ("heating", {"type": "string"}, "heating: other levels"),
        ("agent", {"type": "string", "enum": ["A"]}, "agent: other levels"),
        ("pool", {}, "pool: None"),
        ("pool", {"anyOf": [1, {"type": "null"}]}, "pool: None or null"),
        ("area", {"anyOf": [{"type": "number"}, {"type": "null"}]}, "area: null or number"),
    ],
)
def test_openapi_that_describes_a_field_otherwise_fails(
    champion: Bundle,
    upstream: Upstream,
    name: str,
    described: Mapping[str, object],
    found: str,
) -> None:
    report = verified(champion, describing(upstream, name, described))
    assert report.failed == ("features in OpenAPI",)
    assert next(check.found for check in report.checks if not check.passed) == found
