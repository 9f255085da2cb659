"""Run a search of 10 trials without sealing: `python -m benchmarks.scale.search NAME`."""

import sys

import msgspec

import housectl


def main() -> None:
    """Search in this directory; print the family and the assignment that are best."""
    best = housectl.open(settings={"budget.trials": 10}).submit(sys.argv[1]).wait()
    result = {"family": best.family, "assignment": dict(best.assignment)}
    print(msgspec.json.encode(result).decode())


if __name__ == "__main__":
    main()
