"""The only place that opens model.onnx: checks its graph and predicts with it."""

import os
from collections.abc import Sequence

from housectl.contract.bundle import Bundle
from housectl.contract.golden import GoldenMismatch, golden_mismatches
from housectl.errors import BundleError

INPUT_NAME = "rows"
OUTPUT_NAME = "predictions"
INPUT_TYPE = "tensor(double)"


class Scorer:
    """A model.onnx in memory, predicting with one thread.

    Args:
        model: The bytes of the ONNX graph.
        features: How many columns a row has.

    Raises:
        BundleError: The graph cannot be loaded, or is not one that housectl makes.
    """

    def __init__(self, model: bytes, *, features: int) -> None:
        # Read when it is imported; otherwise it reports its use to its makers.
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        import numpy as np
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's errors share no narrower base
            raise _invalid(str(error)) from error
        _check_graph(
            [(node.name, node.type, node.shape) for node in session.get_inputs()],
            [(node.name, node.type, node.shape) for node in session.get_outputs()],
            features=features,
        )
        self._run = session.run
        self._array = np.array

    def predict(self, rows: Sequence[Sequence[float]]) -> list[float]:
        """Return one prediction per row, the same whatever rows are beside it.

        Args:
            rows: `(n, features)`, any sequence or array of doubles, n ≥ 1.
        """
        array = self._array(rows, dtype="float64", copy=None)
        values: list[float] = self._run([OUTPUT_NAME], {INPUT_NAME: array})[0].ravel().tolist()
        return values


def open_bundle(bundle: Bundle) -> Scorer:
    """Return the bundle's scorer after its golden rows were repeated.

    Raises:
        BundleError: The graph is refused, or answers a golden row otherwise.
    """
    scorer = Scorer(bundle.model, features=len(bundle.record.recipe.features))
    wrong = check_golden(scorer, bundle)
    if wrong:
        first = wrong[0]
        raise _invalid(
            f"{len(wrong)} of {len(bundle.golden.rows)} golden rows are answered otherwise, "
            f"row {first.number} with {first.found!r} instead of {first.expected!r}"
        )
    return scorer


def check_golden(scorer: Scorer, bundle: Bundle) -> tuple[GoldenMismatch, ...]:
    """Return the golden rows that the scorer answers otherwise."""
    return golden_mismatches(bundle.golden, scorer.predict([row.row for row in bundle.golden.rows]))


def _check_graph(
    inputs: list[tuple[str, str, list[object]]],
    outputs: list[tuple[str, str, list[object]]],
    *,
    features: int,
) -> None:
    expected = (INPUT_NAME, INPUT_TYPE, features)
    found = [(name, kind, shape[-1] if len(shape) == 2 else None) for name, kind, shape in inputs]  # noqa: PLR2004
    if found != [expected]:
        raise _invalid(f"its inputs are {found}, not {[expected]}")
    if [(name, kind) for name, kind, _ in outputs] != [(OUTPUT_NAME, INPUT_TYPE)]:
        raise _invalid(f"its outputs are {outputs}")


def _invalid(why: str) -> BundleError:
    return BundleError(
        f"model.onnx is refused: {why}.",
        hint="housectl rollback   # makes an earlier bundle the champion",
    )
