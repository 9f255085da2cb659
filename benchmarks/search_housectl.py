"""Run `housectl tune` without sealing: `python -m benchmarks.search_housectl NAME`."""

import sys
from pathlib import Path

from benchmarks.workbench import open_project

SETTINGS = {"family": "random-forest", "space": "default", "budget.trials": 30, "workers": 2}


def main() -> None:
    """Submit the experiment of the project in this directory, and wait for its best trial."""
    open_project(Path.cwd(), SETTINGS).submit(sys.argv[1]).wait()


if __name__ == "__main__":
    main()
