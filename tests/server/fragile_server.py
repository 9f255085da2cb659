"""The server with a fault: its model fails for rows whose first value is 1000 or more."""

import sys
from collections.abc import Sequence

from housectl.contract.scorer import Scorer
from housectl_server.__main__ import main

_predict = Scorer.predict


def _predict_or_fail(scorer: Scorer, rows: Sequence[Sequence[float]]) -> list[float]:
    if any(row[0] >= 1000 for row in rows):
        raise ArithmeticError("the model fails")
    return _predict(scorer, rows)


if __name__ == "__main__":
    Scorer.predict = _predict_or_fail  # type: ignore[method-assign]
    sys.exit(main())
