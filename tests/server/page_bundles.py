"""Bundles for tests of the page: all types of features, a reference, and names like HTML."""

from pathlib import Path

import numpy as np

from housectl.contract.bundle import Bundle
from housectl.contract.cells import Cell
from housectl.contract.column_types import Boolean, Category, Datetime, Number, UnknownLevels
from housectl.contract.columns import Expansion
from housectl.contract.evidence import Errors, Evidence
from housectl.contract.golden import Golden, GoldenRow
from housectl.contract.graph.format import encode_graph
from housectl.contract.graph.tree_graph import Branch, TreeGraph
from housectl.contract.leaf_rows import LEAF_ROWS_FILE, encode_leaf_rows
from housectl.contract.recipe import DEFAULT_GATE
from housectl.contract.reference import Distribution, Reference
from housectl.contract.schema import Feature, Schema, Target
from tests.server.bundles import seal_files

HOSTILE = '<img src=x onerror="document.title=1">'
HOSTILE_LEVEL = '<b>"Orb", Hessen</b>'
YEAR_2000 = 946_684_800.0
PAGES = Schema(
    features=(
        Feature(name="area", minimum=12, maximum=300, unit="m2", description="Living area."),
        Feature(name="rooms", minimum=1, maximum=9, column=Number(nullable=True)),
        Feature(
            name=HOSTILE,
            minimum=0,
            maximum=1,
            description=f"{HOSTILE} described.",
            column=Category(levels=("Ulm", HOSTILE_LEVEL), unknown_levels=UnknownLevels.GROUP),
        ),
        Feature(name="pool", minimum=0, maximum=1, column=Boolean(nullable=True)),
        Feature(name="sold", minimum=0, maximum=YEAR_2000, column=Datetime()),
        Feature(
            name="built",
            minimum=0,
            maximum=YEAR_2000,
            column=Datetime(format="%d.%m.%Y", nullable=True),
        ),
    ),
    target=Target(
        name="price", unit="thousand euros", response_key="predicted_price", description=HOSTILE
    ),
)
ROW: tuple[Cell, ...] = (80.0, 3.0, "Ulm", True, "1999-05-01", "02.01.1970")
CHEAP, EXPENSIVE = 200.0, 450.0
# The mean prediction is 300.
LEAF_ROWS = np.array([60, 40])

_THRESHOLD = 100.0
_ROWS = 100


def page_bundle(parent: Path, *, cheap: float = CHEAP, expensive: float = EXPENSIVE) -> Bundle:
    """Make a bundle that predicts a low price, or a high one above an area of 100."""
    large = (150.0, *ROW[1:])
    golden = Golden(
        tolerance=1e-9,
        features=PAGES.feature_names,
        rows=(GoldenRow(row=ROW, prediction=cheap), GoldenRow(row=large, prediction=expensive)),
    )
    return seal_files(
        parent / f"page-{cheap}",
        schema=PAGES,
        model=_tree(cheap, expensive),
        golden_rows=golden,
        reference=_reference(),
        others={LEAF_ROWS_FILE: encode_leaf_rows(LEAF_ROWS)},
    )


def page_evidence(bundle: Bundle) -> Evidence:
    """Return evidence of a bundle whose model is better than both baselines."""

    def errors(mse: float) -> Errors:
        folds = (mse,) * DEFAULT_GATE.total
        return Errors(holdout_mse=mse, holdout_mae=mse**0.5 / 2, fold_mses=folds)

    return Evidence(
        recipe=bundle.record.recipe,
        bundle=bundle.digest,
        holdout_rows="0" * 64,
        holdout_variance=400.0,
        model=errors(9.0),
        mean=errors(400.0),
        linear=errors(25.0),
    )


def _tree(cheap: float, expensive: float) -> bytes:
    expansion = Expansion.of(PAGES.types)
    return encode_graph(
        TreeGraph(
            columns=expansion.width,
            roots=np.array([0]),
            features=np.array([0]),
            thresholds=np.array([_THRESHOLD]),
            missing_at_most=np.array([False]),
            at_most=Branch(children=np.array([0]), are_leaves=np.array([True])),
            above=Branch(children=np.array([1]), are_leaves=np.array([True])),
            weights=np.array([cheap, expensive]),
        ),
        expansion=expansion,
    )


def _reference() -> Reference:
    features = {
        each.name: Distribution(
            edges=(each.minimum + (each.maximum - each.minimum) / 2,),
            counts=(_ROWS // 2, _ROWS // 2),
        )
        for each in PAGES.features
    }
    target = Distribution(edges=(200.0, 300.0, 400.0), counts=(40, 30, 20, 10))
    return Reference(rows=_ROWS, features=features, target=target, target_range=(100.0, 500.0))
