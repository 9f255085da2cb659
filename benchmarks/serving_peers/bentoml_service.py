"""A forest behind BentoML. It runs in BentoML's environment, in the directory of the model."""
# mypy: ignore-errors

import bentoml
import joblib


@bentoml.service
class Forest:
    """Predicts one row at a time."""

    def __init__(self) -> None:
        self._model = joblib.load("model.joblib")

    @bentoml.api
    def predict(self, row: list[float]) -> float:
        """Return the prediction of one row."""
        return float(self._model.predict([row])[0])
