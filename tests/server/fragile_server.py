"""The server with faults: its model fails if the first value of a row is 1000, and predicts NaN if
that is 2000.
"""

import math
import sys
from collections.abc import Sequence

from housectl.contract.scorer import Scorer
from housectl_server.__main__ import main

_predict = Scorer.predict


def _predict_or_fail(scorer: Scorer, rows: Sequence[Sequence[float]]) -> list[float]:
    if any(row[0] == 1000 for row in rows):
        raise ArithmeticError("the model fails")
    predictions = _predict(scorer, rows)
    return [
        math.nan if row[0] == 2000 else prediction
        for row, prediction in zip(rows, predictions, strict=True)
    ]


if __name__ == "__main__":
    Scorer.predict = _predict_or_fail  # type: ignore[method-assign]
    sys.exit(main())
