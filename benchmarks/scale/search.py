"""Run a search of 10 trials without sealing: `python -m benchmarks.scale.search NAME`."""

import sys

import housectl


def main() -> None:
    """Search in this directory; print the family of the best trial."""
    best = housectl.open(settings={"budget.trials": 10}).submit(sys.argv[1]).wait()
    print(best.family)


if __name__ == "__main__":
    main()
