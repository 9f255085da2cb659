"""Run `housectl tune` without sealing: `python -m benchmarks.search_housectl NAME`."""

import sys
from pathlib import Path

from benchmarks.workbench import open_pipeline
from housectl.search import wait_for_best_trial

SETTINGS = {"family": "random-forest", "space": "default", "budget.trials": 30, "workers": 2}


def main() -> None:
    """Submit the experiment of the project in this directory, and wait for its best trial."""
    pipeline = open_pipeline(Path.cwd(), SETTINGS)
    handle = pipeline.submit(sys.argv[1])
    wait_for_best_trial(pipeline.backend, handle, pipeline.progress)


if __name__ == "__main__":
    main()
