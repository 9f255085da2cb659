"""Contributions of features to predictions; with the baseline, they add up to a prediction.

Those of trees are computed along the paths of a row, see `graph.tree_paths`. A linear model adds
one term for each column, which is its weight times the distance from the mean of the column.
"""

from enum import StrEnum
from typing import Protocol

import numpy as np
from msgspec import UNSET

from housectl.contract.bundle import Bundle
from housectl.contract.columns import ColumnEncoder, Expansion
from housectl.contract.graph.arrays import Doubles, Integers
from housectl.contract.graph.body import GraphBody
from housectl.contract.graph.format import decode_graph
from housectl.contract.graph.linear_graph import LinearGraph
from housectl.contract.graph.tree_graph import TreeGraph
from housectl.contract.graph.tree_paths import TreePaths
from housectl.contract.leaf_rows import LEAF_ROWS_FILE, decode_leaf_rows
from housectl.contract.record import MalformedRecordError
from housectl.contract.schema import Schema
from housectl.errors import BundleError, UsageError


class ContributionScale(StrEnum):
    """Quantity that baseline and contributions add up to: a prediction, or its logarithm."""

    ADDITIVE = "additive"
    LOG = "log"


class _Contributor(Protocol):
    """Computes the contributions of one kind of model.

    Attributes:
        baseline: Prediction without any contribution.
    """

    baseline: float

    def contributions(self, rows: Doubles) -> Doubles:
        """Return `(n, features)` contributions to the predictions of `(n, width)` rows."""


class Explainer:
    """Computes the contributions of features to the predictions of a graph.

    Args:
        model: The bytes of the ONNX graph.
        schema: Schema of the rows.
        leaf_rows: Numbers of training rows in the leaves of trees; see `leaf_rows`.

    Attributes:
        scale: Quantity that baseline and contributions add up to.
        baseline: Mean prediction of the training rows, or the prediction of a linear model for
            mean values; on that scale.

    Raises:
        BundleError: The graph or the numbers of rows are invalid.
    """

    def __init__(self, model: bytes, *, schema: Schema, leaf_rows: bytes | None) -> None:
        transform = schema.target.transform
        self.scale = ContributionScale.ADDITIVE if transform is UNSET else ContributionScale.LOG
        self._encode = ColumnEncoder(schema.features).encode
        self._expansion = Expansion.of(schema.types)
        groups = _feature_of_columns(schema, self._expansion)
        try:
            body = decode_graph(model, expansion=self._expansion, transform=transform)
            self._contributor = _contributor(body, groups, leaf_rows)
        except MalformedRecordError as error:
            raise BundleError(
                f"No contributions can be computed: {error}.",
                hint="housectl rollback   # makes an earlier bundle the champion",
            ) from error
        self.baseline = self._contributor.baseline

    def contributions(self, rows: Doubles) -> Doubles:
        """Return `(n, features)`, the contribution of each feature to the prediction of each row.

        Args:
            rows: `(n, features)`, the doubles of the features' values; NaN if missing.
        """
        return self._contributor.contributions(self._expansion.expand(self._encode(rows)))


class _LinearTerms:
    """Contributions of a linear model: the terms of its columns, in the target's unit."""

    def __init__(self, graph: LinearGraph, groups: Integers) -> None:
        self._graph = graph
        self._groups = groups
        self.baseline = graph.intercept * graph.target_deviation + graph.target_centre

    def contributions(self, rows: Doubles) -> Doubles:
        graph = self._graph
        terms = np.where(np.isnan(rows), graph.missing, (rows - graph.centres) * graph.weights)
        total = np.zeros((len(rows), int(self._groups.max()) + 1))
        for column, group in enumerate(self._groups.tolist()):
            total[:, group] += terms[:, column] * graph.target_deviation
        return total


def has_contributions(bundle: Bundle) -> bool:
    """Return True unless an earlier version sealed the bundle without the rows of its leaves."""
    has_trees = bundle.record.recipe.family.definition.tree_count is not None
    return not has_trees or LEAF_ROWS_FILE in bundle.content


def open_explainer(bundle: Bundle) -> Explainer:
    """Return the explainer of a bundle.

    Raises:
        UsageError: An earlier version sealed the bundle without the rows of its leaves.
        BundleError: The graph or the numbers of rows are invalid.
    """
    if not has_contributions(bundle):
        raise UsageError(
            f"The bundle {bundle.version} gives no contributions of features: an earlier version "
            f"of housectl sealed it without {LEAF_ROWS_FILE}.",
            hint="housectl tune   # seals a model with contributions",
        )
    return Explainer(
        bundle.model, schema=bundle.record.schema, leaf_rows=bundle.content.get(LEAF_ROWS_FILE)
    )


def _contributor(body: GraphBody, groups: Integers, leaf_rows: bytes | None) -> _Contributor:
    match body:
        case LinearGraph():
            return _LinearTerms(body, groups)
        case TreeGraph():
            rows = decode_leaf_rows(leaf_rows or b"", leaves=len(body.weights))
            return TreePaths(body, rows, groups)


def _feature_of_columns(schema: Schema, expansion: Expansion) -> Integers:
    """Return `(width,)`, the number of the feature that each expanded column belongs to."""
    starts = np.array(ColumnEncoder(schema.features).starts)
    columns = np.array([*expansion.kept, *(column for column, _ in expansion.indicators)])
    return np.searchsorted(starts, columns, side="right") - 1
