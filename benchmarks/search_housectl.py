"""Run `housectl tune` without sealing: `python -m benchmarks.search_housectl SEARCH NAME`."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.workbench import open_project
from housectl.contract.families import Family


@dataclass(frozen=True, kw_only=True)
class Search:
    """A search of the benchmark.

    Attributes:
        settings: Settings of the project; those of all families mean the families below.
    """

    settings: Mapping[str, object]
    families: tuple[Family, ...]


SEARCHES = {
    "complete": Search(
        settings={
            "family": "random-forest",
            "space": "default",
            "budget.trials": 30,
            "workers": 2,
            "prune": False,
        },
        families=(Family.RANDOM_FOREST,),
    ),
    "pruned": Search(
        settings={"family": "auto", "space": "wide", "budget.trials": 60, "workers": 2},
        families=(Family.RANDOM_FOREST, Family.XGBOOST),
    ),
}


def main() -> None:
    """Submit the experiment of the project in this directory, and wait for its best trial."""
    kind, name = sys.argv[1:]
    search = SEARCHES[kind]
    context = open_project(Path.cwd(), search.settings).context
    experiment = context.config.experiment(name)
    spaces = {family: experiment.spaces[family] for family in search.families}
    inputs = context.write_inputs()
    handle = context.backend.submit(replace(experiment, spaces=spaces), inputs=inputs, image=None)
    context.run(handle).wait()


if __name__ == "__main__":
    main()
