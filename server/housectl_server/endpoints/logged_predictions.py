"""Predictions of the rows of a request, which the prediction log may get."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from starlette.types import Scope

from housectl_server.http.answer_headers import request_id_of
from housectl_server.model.served_model import ServedModel


def predict_and_log(
    model: ServedModel, rows: Sequence[Sequence[float]] | NDArray[np.float64], scope: Scope
) -> list[float]:
    """Return one prediction per row, and log them if the model has a log.

    Args:
        model: Model that predicts.
        rows: `(n, features)`, as `ServedModel.predict` takes them.
        scope: Scope of the request.

    Raises:
        NonFinitePredictionError: A prediction is not finite.
    """
    predictions = model.predict(rows)
    if model.log is not None:
        model.log(request_id_of(scope), rows, predictions)
    return predictions
