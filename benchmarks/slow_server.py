"""The server with a slow model, so that a client on the same machine can overload it."""

import sys
import time
from collections.abc import Sequence

from housectl.contract.scorer import Scorer
from housectl_server.__main__ import main

SECONDS_PER_ROW = 0.002

_predict = Scorer.predict


def _predict_slowly(scorer: Scorer, rows: Sequence[Sequence[float]]) -> list[float]:
    time.sleep(SECONDS_PER_ROW * len(rows))
    return _predict(scorer, rows)


if __name__ == "__main__":
    Scorer.predict = _predict_slowly  # type: ignore[method-assign, assignment]
    sys.exit(main())
