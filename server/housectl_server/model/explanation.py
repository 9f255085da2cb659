"""Explanations of predictions: the contributions of the features of a served model."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from housectl.contract.bundle import Bundle
from housectl.contract.cells import Cell, write_row
from housectl.contract.contributions import ContributionScale, Explainer, open_explainer
from housectl.contract.scorer import Scorer
from housectl.errors import UsageError

MAX_LEAVES = 2**20
"""Largest number of leaves of a model whose predictions are explained over HTTP."""


class NotExplainableError(Exception):
    """The predictions of this model are not explained; the text has the cause and a hint."""


@dataclass(frozen=True)
class Contribution:
    """Contribution of one feature, and its value in the row."""

    feature: str
    value: Cell
    contribution: float


@dataclass(frozen=True)
class Explanation:
    """A prediction as the sum of a baseline and of contributions, on a scale."""

    prediction: float
    baseline: float
    scale: ContributionScale
    contributions: Sequence[Contribution]


class RowExplainer:
    """Explains predictions of one model. Only one thread may call it.

    Args:
        bundle: The model.
        scorer: Predicts with the model.
    """

    def __init__(self, bundle: Bundle, scorer: Scorer) -> None:
        self._bundle = bundle
        self._scorer = scorer

    def explain(self, row: Sequence[float]) -> Explanation:
        """Return the explanation of the prediction for a row.

        Args:
            row: Doubles of the features' values in the model's order; NaN if missing.

        Raises:
            NotExplainableError: The model is too large, or an earlier version sealed it.
        """
        schema = self._bundle.record.schema
        explainer = self._explainer
        rows = np.array([row])
        return Explanation(
            prediction=self._scorer.predict(rows)[0],
            baseline=explainer.baseline,
            scale=explainer.scale,
            contributions=[
                Contribution(name, value, contribution)
                for name, value, contribution in zip(
                    schema.feature_names,
                    write_row(schema, row),
                    explainer.contributions(rows)[0].tolist(),
                    strict=True,
                )
            ],
        )

    @cached_property
    def _explainer(self) -> Explainer:
        if self._scorer.leaves > MAX_LEAVES:
            raise NotExplainableError(
                f"The model has {self._scorer.leaves} leaves, and the server explains predictions "
                f"of up to {MAX_LEAVES}; use `housectl predict FILE --explain`."
            )
        try:
            return open_explainer(self._bundle)
        except UsageError as error:
            raise NotExplainableError(f"{error.message} {error.hint}") from error
