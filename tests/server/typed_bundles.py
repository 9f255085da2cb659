"""A bundle whose features have all types, and whose predictions depend on each value."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from housectl.contract.bundle import Bundle
from housectl.contract.cells import Cell, read_row
from housectl.contract.column_types import Boolean, Category, Datetime, Number, UnknownLevels
from housectl.contract.columns import ColumnEncoder, Expansion
from housectl.contract.golden import Golden, GoldenRow
from housectl.contract.graph.format import encode_graph
from housectl.contract.graph.tree_graph import Branch, TreeGraph
from housectl.contract.schema import Exclusion, Feature, Schema, Target
from housectl.contract.scorer import Scorer
from tests.server.bundles import seal_files

MAY_2024 = datetime(2024, 5, 1, tzinfo=UTC).timestamp()
HOMES = Schema(
    features=(
        Feature(name="area", minimum=12, maximum=300, unit="m2"),
        Feature(name="rooms", minimum=1, maximum=9, column=Number(nullable=True)),
        Feature(
            name="town",
            minimum=0,
            maximum=1,
            column=Category(levels=("Ulm", "Bad Orb, Hessen"), nullable=True),
        ),
        Feature(
            name="heating",
            minimum=0,
            maximum=1,
            column=Category(levels=("gas", "öl"), unknown_levels=UnknownLevels.REFUSE),
        ),
        Feature(
            name="agent",
            minimum=0,
            maximum=1,
            column=Category(levels=("A",), unknown_levels=UnknownLevels.GROUP),
        ),
        Feature(name="pool", minimum=0, maximum=1, column=Boolean(nullable=True)),
        Feature(name="sold", minimum=0, maximum=MAY_2024, column=Datetime()),
        Feature(
            name="built",
            minimum=0,
            maximum=MAY_2024,
            column=Datetime(format="%d.%m.%Y", nullable=True),
        ),
    ),
    target=Target(name="price", unit="thousand euros", response_key="predicted_price"),
    exclusions=(Exclusion(name="owner", reason="it is free text"),),
)
HOME: Mapping[str, Cell] = {
    "area": 80.0,
    "rooms": 3.0,
    "town": "Ulm",
    "heating": "öl",
    "agent": "A",
    "pool": True,
    "sold": "2024-05-01",
    "built": "02.01.1970",
}
_CHANGES: tuple[Mapping[str, Cell], ...] = (
    {"rooms": None, "pool": None, "town": None, "built": None},
    {},
    {"town": "Bonn", "agent": "B", "pool": False},
    {"town": "Bad Orb, Hessen", "heating": "gas", "area": 1e6, "sold": "1969-07-20T20:17:40"},
)
# Thresholds of columns; those of indicators and booleans are 0.5.
_THRESHOLDS = {
    "area": 100.0,
    "rooms": 4.0,
    "sold.year": 2000.0,
    "sold.month": 6.0,
    "sold.weekday": 3.0,
    "sold.seconds": 1e9,
    "built.year": 1990.0,
    "built.month": 6.0,
    "built.weekday": 3.0,
    "built.seconds": 5e8,
}


def typed_bundle(parent: Path) -> Bundle:
    """Make a bundle of one tree for each expanded column."""
    model = encode_graph(_trees(), expansion=Expansion.of(HOMES.types))
    cells = [tuple((dict(HOME) | dict(changes)).values()) for changes in _CHANGES]
    predictions = Scorer(model, schema=HOMES).predict([read_row(HOMES, row) for row in cells])
    rows = tuple(
        GoldenRow(row=row, prediction=prediction)
        for row, prediction in zip(cells, predictions, strict=True)
    )
    golden = Golden(tolerance=1e-9, features=HOMES.feature_names, rows=rows)
    return seal_files(parent / "typed-bundle", schema=HOMES, model=model, golden_rows=golden)


def _trees() -> TreeGraph:
    expansion = Expansion.of(HOMES.types)
    names = ColumnEncoder(HOMES.features).names
    kept = [_THRESHOLDS.get(names[column], 0.5) for column in expansion.kept]
    count = expansion.width
    leaves = np.ones(count, dtype=np.bool_)
    return TreeGraph(
        columns=count,
        roots=np.arange(count),
        features=np.arange(count),
        thresholds=np.array([*kept, *[0.5] * (count - len(kept))]),
        missing_at_most=np.arange(count) % 2 == 0,
        at_most=Branch(children=2 * np.arange(count), are_leaves=leaves),
        above=Branch(children=2 * np.arange(count) + 1, are_leaves=leaves),
        weights=np.outer(2.0 ** np.arange(count), [0.0, 1.0]).ravel(),
    )
