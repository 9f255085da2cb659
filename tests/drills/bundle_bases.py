"""Valid bundles of several sizes, to be altered."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from housectl.contract.columns import Expansion
from housectl.contract.graph.format import encode_graph
from housectl.contract.graph.tree_graph import TreeGraph
from housectl.contract.scorer import Scorer
from tests.contract.bundle_files import read_files, with_new_digests, write_files
from tests.contract.graphs import COLUMNS, number_schema, random_forest
from tests.server.bundles import make_bundle


@dataclass(frozen=True)
class Bases:
    """Valid bundles to alter: each is a mapping from the names of its files to their content."""

    bundles: Sequence[Mapping[str, bytes]]

    @classmethod
    def read(cls, directory: Path) -> "Bases":
        """Read the bundles that `write_bases` wrote."""
        return cls([read_files(path) for path in sorted(directory.iterdir())])

    def choose(self, random: Random) -> dict[str, bytes]:
        """Return the files of a bundle; the largest one is rare, because it is slow."""
        [files] = random.choices(self.bundles, weights=(6, 5, 1))
        return dict(files)


def write_bases(directory: Path, scratch: Path) -> None:
    """Write bundles with 1, 20 and 300 trees."""
    small = read_files(Path(make_bundle(scratch).location))
    shapes = ((20, 30), (300, 250))
    forests = [random_forest(trees=trees, splits=splits) for trees, splits in shapes]
    for number, files in enumerate([small, *(_with_graph(small, forest) for forest in forests)]):
        write_files(directory / str(number), files)


def _with_graph(small: Mapping[str, bytes], graph: TreeGraph) -> dict[str, bytes]:
    """Return a bundle with a graph and its predictions of random golden rows."""
    record, golden = (json.loads(small[name]) for name in ("bundle.json", "golden.json"))
    names = [f"feature {number}" for number in range(COLUMNS)]
    feature = record["schema"]["features"][0]
    record["schema"]["features"] = [{**feature, "name": name} for name in names]
    record["recipe"]["features"] = golden["features"] = names
    model = encode_graph(graph, expansion=Expansion.plain(graph.columns))
    rows = np.random.default_rng(2).normal(size=(32, COLUMNS)).tolist()
    predictions = Scorer(model, schema=number_schema(COLUMNS)).predict(rows)
    golden["rows"] = [
        {"row": row, "prediction": prediction}
        for row, prediction in zip(rows, predictions, strict=True)
    ]
    changed = {"bundle.json": record, "golden.json": golden}
    texts = {name: json.dumps(value).encode() for name, value in changed.items()}
    return with_new_digests({**small, **texts, "model.onnx": model})
