import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest

from housectl.contract.columns import Expansion
from housectl.contract.families import Family
from housectl.contract.scorer import Scorer
from housectl.store.local import LocalStore
from housectl_server.model.batching import Batcher
from housectl_trainer.fitting import fit, make_recipe
from housectl_trainer.sealing.onnx_export import to_onnx
from housectl_trainer.target_scale import TargetScale
from housectl_trainer.trees import LEAF, Ensemble, SplitComparison, Tree
from tests.contract.graphs import number_schema
from tests.server.bundles import expected, make_bundle, promote
from tests.server.running import FRAGILE_SERVER, ROW, RunningServer, running
from tests.trainer.mixed_data import mixed_dataset

FEATURES = 5


def random_tree(generator: np.random.Generator, *, depth: int) -> Tree:
    """A full tree whose thresholds and weights have no short binary form."""
    inner, leaves = 2**depth - 1, 2**depth
    children = np.arange(1, 2 * inner + 1).reshape(inner, 2)
    no_children = np.full(leaves, LEAF)
    return Tree(
        left=np.concatenate([children[:, 0], no_children]),
        right=np.concatenate([children[:, 1], no_children]),
        features=generator.integers(FEATURES, size=inner + leaves),
        thresholds=generator.normal(size=inner + leaves),
        missing_left=np.zeros(inner + leaves, dtype=np.bool_),
        weights=generator.normal(size=inner + leaves) / 3,
        rows=np.ones(inner + leaves, dtype=np.int64),
    )


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    generator = np.random.default_rng(0)
    trees = tuple(random_tree(generator, depth=6) for _ in range(300))
    ensemble = Ensemble(trees=trees, comparison=SplitComparison.LESS_EQUAL, offset=22.5)
    graph = to_onnx(ensemble, expansion=Expansion.plain(FEATURES), scale=TargetScale()).content
    return Scorer(graph, schema=number_schema(FEATURES))


@pytest.mark.parametrize("size", [2, 3, 7, 8, 64, 128, 1000])
def test_batch_predicts_same_bits_as_single_rows(scorer: Scorer, size: int) -> None:
    rows = np.random.default_rng(1).normal(size=(2000, FEATURES)).tolist()
    alone = [scorer.predict([row])[0] for row in rows]
    assert len(set(alone)) > 1900
    batches = [rows[start : start + size] for start in range(0, len(rows), size)]
    assert [value for batch in batches for value in scorer.predict(batch)] == alone


@pytest.mark.slow
@pytest.mark.parametrize("family", Family)
def test_batch_of_mixed_rows_predicts_same_bits_as_single_rows(family: Family) -> None:
    dataset = mixed_dataset()
    recipe = make_recipe(dataset.shared, family, family.definition.library_defaults)
    model = fit(recipe, dataset.training)
    graph = to_onnx(model.body, expansion=model.expansion, scale=model.scale).content
    scorer = Scorer(graph, schema=dataset.shared.schema)
    rows = dataset.values.tolist()
    alone = [scorer.predict([row])[0] for row in rows]
    batches = [rows[start : start + 7] for start in range(0, len(rows), 7)]
    assert [value for batch in batches for value in scorer.predict(batch)] == alone


class Model:
    """Predicts the first value of a row; fails on a negative one."""

    def __init__(self) -> None:
        self.calls: list[list[float]] = []

    def predict(self, rows: Sequence[Sequence[float]]) -> list[float]:
        values = [row[0] for row in rows]
        self.calls.append(values)
        if min(values) < 0:
            raise RuntimeError
        return values


def test_rows_of_one_turn_share_one_call() -> None:
    model = Model()

    async def three_turns() -> list[list[float | None]]:
        batcher = Batcher(model.predict)
        return [
            await asyncio.gather(*(batcher.predict([value]) for value in turn))
            for turn in ((1.0, 2.0, 3.0), (4.0,), (5.0, 6.0))
        ]

    assert asyncio.run(three_turns()) == [[1.0, 2.0, 3.0], [4.0], [5.0, 6.0]]
    assert model.calls == [[1.0, 2.0, 3.0], [4.0], [5.0, 6.0]]


def test_row_that_joins_a_waiting_batch_is_predicted() -> None:
    model = Model()

    async def predict_late(batcher: Batcher, turns: int) -> float | None:
        for _ in range(turns):
            await asyncio.sleep(0)
        return await batcher.predict([float(turns)])

    async def staggered() -> list[float | None]:
        batcher = Batcher(model.predict)
        return await asyncio.gather(*(predict_late(batcher, turns % 4) for turns in range(20)))

    assert asyncio.run(staggered()) == [float(turns % 4) for turns in range(20)]
    assert len(model.calls) == 4


def test_failed_batch_has_no_predictions_and_next_batch_has() -> None:
    async def two_turns() -> list[list[float | None]]:
        batcher = Batcher(Model().predict)
        return [
            await asyncio.gather(*(batcher.predict([value]) for value in turn))
            for turn in ((1.0, -2.0), (3.0, 4.0))
        ]

    assert asyncio.run(two_turns()) == [[None, None], [3.0, 4.0]]


def predict_all(server: RunningServer, firsts: Sequence[float]) -> list[httpx.Response]:
    """Post, over one connection, a row that starts with each of these values."""
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client:
        return [client.post("/predict", json=ROW | {"RM": first}) for first in firsts]


def test_concurrent_clients_get_their_own_predictions(store: LocalStore, output: Path) -> None:
    promote(store, make_bundle(output.parent))
    lists = [[float((row + client) % 10) for row in range(100)] for client in range(8)]
    with running(store.path, output) as server, ThreadPoolExecutor(len(lists)) as clients:
        responses = list(clients.map(lambda firsts: predict_all(server, firsts), lists))
    assert [
        [response.json()["predicted_price"] for response in client_responses]
        for client_responses in responses
    ] == [[expected(20.0, first) for first in firsts] for firsts in lists]


def test_row_that_fails_the_model_fails_no_other_request(store: LocalStore, output: Path) -> None:
    promote(store, make_bundle(output.parent))
    lists = [[1000.0] * 20, *([[8.0] * 50] * 7)]
    with (
        running(store.path, output, program=FRAGILE_SERVER) as server,
        ThreadPoolExecutor(len(lists)) as clients,
    ):
        bad, *good = clients.map(lambda firsts: predict_all(server, firsts), lists)
    assert {response.status_code for response in bad} == {500}
    assert {response.json()["predicted_price"] for responses in good for response in responses} == {
        30.0
    }
