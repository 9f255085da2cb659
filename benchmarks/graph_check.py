"""CPU time of the check of an ONNX graph, next to the time in which onnxruntime opens it."""

import time
from collections.abc import Callable

from onnxruntime import InferenceSession

from benchmarks.measurement import Direction, Measurement
from housectl.contract.columns import Expansion
from housectl.contract.graph.format import decode_graph

_ROUNDS = 15


def measure(model: bytes, *, columns: int) -> list[Measurement]:
    """Check and open a forest's graph in turn, and return the best times.

    Args:
        model: The graph.
        columns: Number of features of a row.
    """
    providers = ["CPUExecutionProvider"]
    rounds = [
        (
            _cpu_milliseconds(lambda: decode_graph(model, expansion=Expansion.plain(columns))),
            _cpu_milliseconds(lambda: InferenceSession(model, providers=providers)),
        )
        for _ in range(_ROUNDS)
    ]
    checked, opened = map(min, zip(*rounds, strict=True))
    return [
        Measurement(
            name="check of the graph of 300 trees: ms",
            ratio=checked,
            goal=20,
            better=Direction.LOWER,
            detail=f"onnxruntime opens it in {opened:.0f} ms, best of {_ROUNDS}",
            unit="ms",
        )
    ]


def _cpu_milliseconds(function: Callable[[], object]) -> float:
    start = time.process_time()
    function()
    return 1000 * (time.process_time() - start)
