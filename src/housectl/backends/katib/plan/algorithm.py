"""The algorithm of a Katib Experiment, with its settings. Pure."""

from collections.abc import Mapping, Sequence

from housectl.backends.katib.plan.pod_spec import Manifest
from housectl.backends.katib.plan.sub_experiments import SubExperiment, searches_all_families
from housectl.contract.recipe import derived_seed
from housectl.contract.record import canonical_json
from housectl.experiment import Experiment
from housectl.search.katib_texts import SEARCH_SETTING, EarlierTrial, SearchSetting
from housectl.search.sampler import SAMPLER_VERSION

SKOPT = "bayesianoptimization"

_MAX_SKOPT_INITIAL_POINTS = 10
_SEEDED = {SKOPT, "random", "tpe", "multivariate-tpe", "cmaes"}
_SEED_LIMIT = 2**31


def algorithm_manifest(
    name: str,
    experiment: Experiment,
    sub_experiment: SubExperiment,
    *,
    earlier: Sequence[EarlierTrial] = (),
) -> Manifest:
    """Return the algorithm in Katib's format.

    Args:
        name: Name of the algorithm.
        experiment: The search.
        sub_experiment: The Katib Experiment.
        earlier: Trials that ended in earlier generations; Katib's own algorithms ignore them.
    """
    settings = (
        _own_settings(experiment, earlier)
        if searches_all_families(name)
        else _katib_settings(name, experiment.seed, sub_experiment)
    )
    listed = [{"name": key, "value": value} for key, value in sorted(settings.items())]
    return {"algorithmName": name, **({"algorithmSettings": listed} if listed else {})}


def _own_settings(experiment: Experiment, earlier: Sequence[EarlierTrial]) -> Mapping[str, str]:
    setting = SearchSetting(sampler=SAMPLER_VERSION, experiment=experiment, earlier=tuple(earlier))
    return {SEARCH_SETTING: canonical_json(setting).decode()}


def _katib_settings(name: str, seed: int, sub_experiment: SubExperiment) -> Mapping[str, str]:
    settings: dict[str, str] = {}
    if name in _SEEDED:
        # Each generation and each family has its own random numbers.
        own_seed = derived_seed(seed, f"{sub_experiment.family} {sub_experiment.generation}")
        settings["random_state"] = str(own_seed % _SEED_LIMIT)
    if name == SKOPT:
        # With the default of ten, most trials of a small budget would be random.
        half = max(1, sub_experiment.budget.trials // 2)
        settings["n_initial_points"] = str(min(half, _MAX_SKOPT_INITIAL_POINTS))
    return settings
