"""The scorer: checks the graph of model.onnx and predicts with it. No other module opens it."""

import os
from typing import TYPE_CHECKING

from housectl.contract.bundle import Bundle
from housectl.contract.bundle_record import MODEL_FILE
from housectl.contract.cells import InvalidCellError
from housectl.contract.golden import Golden, GoldenMismatch, golden_mismatches
from housectl.contract.graph.onnx_fields import INPUT_NAME, OUTPUT_NAME
from housectl.contract.leaf_rows import LEAF_ROWS_FILE, check_leaf_rows
from housectl.contract.record import MalformedRecordError
from housectl.contract.schema import Schema
from housectl.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


class GoldenRowsError(BundleError):
    """A model does not repeat the predictions of its golden rows."""


class Scorer:
    """A model.onnx in memory; it predicts with one thread.

    Args:
        model: The bytes of the ONNX graph.
        schema: Schema of the rows.

    Attributes:
        leaves: Number of leaves of all trees.

    Raises:
        BundleError: housectl does not write such a graph.
    """

    def __init__(self, model: bytes, *, schema: Schema) -> None:
        # onnxruntime reads this at import; without it, onnxruntime sends telemetry.
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        import numpy as np
        import onnxruntime as ort

        from housectl.contract.columns import ColumnEncoder, Expansion
        from housectl.contract.graph.format import decode_graph
        from housectl.contract.graph.tree_graph import TreeGraph

        try:
            expansion = Expansion.of(schema.types)
            body = decode_graph(model, expansion=expansion, transform=schema.target.transform)
        except MalformedRecordError as error:
            raise _invalid(str(error)) from error
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.leaves = len(body.weights) if isinstance(body, TreeGraph) else 0
        self._run = session.run
        self._array = np.array
        self._encode = ColumnEncoder(schema.features).encode

    def predict(self, rows: "Sequence[Sequence[float]] | NDArray[np.float64]") -> list[float]:
        """Return one prediction per row, independent of the other rows.

        Args:
            rows: `(n, features)`, any sequence or array of doubles, n ≥ 1; see `cells`.
        """
        return self.predict_columns(self._encode(self._array(rows, dtype="float64", copy=None)))

    def predict_columns(self, columns: "NDArray[np.float64]") -> list[float]:
        """Return one prediction per row of the graph's columns, `(n, columns)`."""
        values: list[float] = self._run([OUTPUT_NAME], {INPUT_NAME: columns})[0].ravel().tolist()
        return values


def open_bundle(bundle: Bundle) -> Scorer:
    """Return the scorer of a bundle, after a check of its golden rows.

    Raises:
        BundleError: The graph is invalid, its prediction for a golden row differs, or the numbers
            of rows in its leaves have another length.
    """
    scorer = Scorer(bundle.model, schema=bundle.record.schema)
    try:
        check_leaf_rows(bundle.content.get(LEAF_ROWS_FILE), leaves=scorer.leaves)
    except MalformedRecordError as error:
        raise _invalid(str(error), file=LEAF_ROWS_FILE) from error
    try:
        mismatches = check_golden(scorer, bundle.golden, bundle.record.schema)
    except InvalidCellError as error:
        raise _invalid(f"a value of a golden row {error}") from error
    if mismatches:
        first = mismatches[0]
        raise _invalid(
            f"{len(mismatches)} of {len(bundle.golden.rows)} golden rows differ, and row "
            f"{first.number} gets {first.predicted!r} instead of {first.expected!r}",
            kind=GoldenRowsError,
        )
    return scorer


def check_golden(scorer: Scorer, golden: Golden, schema: Schema) -> tuple[GoldenMismatch, ...]:
    """Return the golden rows for which the scorer's prediction differs.

    Raises:
        InvalidCellError: A column does not accept its value.
    """
    return golden_mismatches(golden, scorer.predict(golden.read_rows(schema)))


def _invalid(
    cause: str, *, file: str = MODEL_FILE, kind: type[BundleError] = BundleError
) -> BundleError:
    return kind(
        f"{file} is invalid: {cause}.",
        hint="housectl rollback   # makes an earlier bundle the champion",
    )
