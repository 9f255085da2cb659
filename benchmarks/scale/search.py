"""Run a search of 10 trials without sealing: `python -m benchmarks.scale.search NAME`."""

import json
import sys
from pathlib import Path

from benchmarks.workbench import open_project


def main() -> None:
    """Search in this directory; print the inputs, the family and the assignment that is best."""
    run = open_project(Path.cwd(), {"budget.trials": 10}).submit(sys.argv[1])
    best = run.wait()
    print(json.dumps({"family": best.family, "assignment": dict(best.assignment)}))


if __name__ == "__main__":
    main()
