"""Models of the soak: large graphs whose predictions are known exactly."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from housectl.contract.bundle import Bundle
from housectl.contract.columns import Expansion
from housectl.contract.graph.format import encode_graph
from housectl.contract.graph.tree_graph import Branch, TreeGraph
from tests.server.bundles import HOUSES, STEP, THRESHOLD, expected, make_bundle

_TREES = 2048
"""A power of two, so that the sum of equal shares is exact."""
_BATCH_EVERY = 16
_ROWS = tuple({"RM": 3.0 + number / 8, "LSTAT": 1.0 + number} for number in range(48))

BODIES: Sequence[bytes] = tuple(
    json.dumps(_ROWS[: 8 + index % 8] if index % _BATCH_EVERY == 0 else row).encode()
    for index, row in enumerate(_ROWS)
)
"""Bodies of the requests; every sixteenth is an array of rows."""


def make_bundles(parent: Path, count: int) -> Mapping[str, Bundle]:
    """Return bundles by their digests; the predictions of each differ from all others'."""
    bundles = (
        make_bundle(parent, base=float(number), model=_graph(float(number)))
        for number in range(1, count + 1)
    )
    return {bundle.digest: bundle for bundle in bundles}


def right_answers(base: float) -> Sequence[bytes]:
    """Return the answers of the model of `base` to the bodies, byte by byte."""
    return [_answer(json.loads(body), base) for body in BODIES]


def _answer(body: Mapping[str, float] | Sequence[Mapping[str, float]], base: float) -> bytes:
    rows = [body] if isinstance(body, Mapping) else body
    answers = [{"predicted_price": expected(base, row["RM"])} for row in rows]
    content = answers[0] if isinstance(body, Mapping) else answers
    return json.dumps(content, separators=(",", ":")).encode()


def _graph(base: float) -> bytes:
    """Return a graph of many trees, each of which gives an equal share of the prediction."""
    trees = np.arange(_TREES)
    leaves = np.ones(_TREES, dtype=bool)
    shares = np.array([base, base + STEP]) / _TREES
    graph = TreeGraph(
        columns=len(HOUSES.features),
        roots=trees,
        features=np.zeros(_TREES, dtype=int),
        thresholds=np.full(_TREES, THRESHOLD),
        missing_at_most=np.zeros(_TREES, dtype=bool),
        at_most=Branch(children=2 * trees, are_leaves=leaves),
        above=Branch(children=2 * trees + 1, are_leaves=leaves),
        weights=np.tile(shares, _TREES),
    )
    return encode_graph(graph, expansion=Expansion.plain(len(HOUSES.features)))
