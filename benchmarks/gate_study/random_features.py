"""Ridge regression on random features: a non-linear model that is cheap for many rows."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from housectl_trainer.subset import Floats

_MOST_COLUMNS = 2
_FREQUENCY = 1.5


class Shape(StrEnum):
    """Shape of a random feature, along a random direction of one or two columns."""

    WAVE = "wave"
    STEP = "step"


@dataclass(frozen=True, kw_only=True)
class FeatureMap:
    """Random features of rows.

    Attributes:
        directions: `(columns, features)` weights of the columns.
        offsets: `(features,)` offsets along the directions.
    """

    shape: Shape
    directions: Floats
    offsets: Floats

    @classmethod
    def draw(
        cls, shape: Shape, *, columns: int, features: int, rng: np.random.Generator
    ) -> "FeatureMap":
        """Draw a map."""
        directions = np.zeros((columns, features))
        for feature in range(features):
            chosen = rng.choice(columns, size=rng.integers(1, 1 + _MOST_COLUMNS), replace=False)
            directions[chosen, feature] = rng.normal(scale=_FREQUENCY, size=len(chosen))
        scale = np.pi if shape is Shape.WAVE else 2.0
        return cls(
            shape=shape,
            directions=directions,
            offsets=rng.uniform(-scale, scale, size=features),
        )

    def apply(self, rows: Floats) -> Floats:
        """Return `(rows, features + 1)` features; the last one is constant."""
        values = rows @ self.directions + self.offsets
        features = np.cos(values) if self.shape is Shape.WAVE else np.where(values > 0, 1.0, -1.0)
        return np.column_stack([features, np.ones(len(rows))])


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Sums over some rows, from which ridge regressions are solved.

    Attributes:
        rows: Number of rows.
        products: `(features, features)` sums of products of two features.
        targets: `(features,)` sums of products of a feature and the target.
    """

    rows: int
    products: Floats
    targets: Floats

    @classmethod
    def of(cls, features: Floats, targets: Floats) -> "Moments":
        """Sum over rows."""
        return cls(rows=len(targets), products=features.T @ features, targets=features.T @ targets)

    def without(self, other: "Moments") -> "Moments":
        """Return the sums without some of the rows."""
        return Moments(
            rows=self.rows - other.rows,
            products=self.products - other.products,
            targets=self.targets - other.targets,
        )

    def weights(self, penalties: Iterable[float]) -> Floats:
        """Return `(features, penalties)` weights of the ridge regression with each penalty."""
        identity = np.eye(len(self.targets))
        return np.column_stack(
            [
                np.linalg.solve(self.products + penalty * self.rows * identity, self.targets)
                for penalty in penalties
            ]
        )


@dataclass(frozen=True, kw_only=True)
class RidgePath:
    """The ridge regressions of all penalties for the same rows.

    Attributes:
        rows: Number of rows.
        vectors: `(features, features)` eigenvectors of the products.
        values: `(features,)` eigenvalues.
        targets: `(features,)` products of features and target, along the eigenvectors.
    """

    rows: int
    vectors: Floats
    values: Floats
    targets: Floats

    @classmethod
    def of(cls, moments: Moments) -> "RidgePath":
        """Decompose the products of some rows."""
        values, vectors = np.linalg.eigh(moments.products)
        return cls(
            rows=moments.rows,
            vectors=vectors,
            values=np.maximum(values, 0),
            targets=vectors.T @ moments.targets,
        )

    def weights(self, penalty: float) -> Floats:
        """Return the weights with a penalty."""
        weights: Floats = self.vectors @ (self.targets / (self.values + penalty * self.rows))
        return weights


@dataclass(frozen=True, kw_only=True)
class MappedRows:
    """Random features of a data set, with its targets."""

    features: Floats
    targets: Floats

    @property
    def moments(self) -> Moments:
        """Sums over all rows."""
        return Moments.of(self.features, self.targets)

    def take(self, indices: NDArray[np.intp]) -> "MappedRows":
        """Return the rows at these indices."""
        return MappedRows(features=self.features[indices], targets=self.targets[indices])

    def mses(self, weights: Floats) -> Floats:
        """Return the MSE of each model.

        Args:
            weights: `(features, models)` weights.
        """
        residuals = self.features @ weights - self.targets[:, None]
        errors: Floats = (residuals**2).sum(axis=0) / len(residuals)
        return errors
