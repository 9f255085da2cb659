"""A minimal hand-written search: `python benchmarks/search_baseline.py`.

Optuna's ask and tell over a pool of two processes: no supervisor, no records, no limits, and no
recovery from a kill. It fits the same models on all folds. Then it fits the best trial's model and
writes it to one file.
"""

import json
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from pathlib import Path
from typing import TypeAlias

import joblib
import numpy as np
import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from sklearn.ensemble import RandomForestRegressor
from sklearn.model_selection import KFold
from xgboost import XGBRegressor

WORKERS = 2
MODELS = {"random-forest": RandomForestRegressor, "xgboost": XGBRegressor}
DISTRIBUTIONS: dict[str, dict[str, BaseDistribution]] = {
    "random-forest": {
        "n_estimators": IntDistribution(100, 1000, log=True),
        "max_features": FloatDistribution(0.1, 1.0),
        "max_samples": FloatDistribution(0.4, 1.0),
        "min_samples_leaf": IntDistribution(1, 12),
        "min_samples_split": IntDistribution(2, 16),
    },
    "xgboost": {
        "n_estimators": IntDistribution(50, 1500, log=True),
        "learning_rate": FloatDistribution(0.005, 0.3, log=True),
        "max_depth": IntDistribution(2, 10),
        "min_child_weight": FloatDistribution(0.1, 20.0, log=True),
        "gamma": FloatDistribution(0.001, 10.0, log=True),
        "subsample": FloatDistribution(0.4, 1.0),
        "colsample_bytree": FloatDistribution(0.3, 1.0),
        "colsample_bylevel": FloatDistribution(0.3, 1.0),
        "reg_lambda": FloatDistribution(0.001, 100.0, log=True),
        "reg_alpha": FloatDistribution(0.0001, 30.0, log=True),
    },
}
SEARCH = json.loads(Path("search.json").read_text())
ROWS, TARGETS = np.load("rows.npy"), np.load("targets.npy")
FOLDS = list(KFold(5, shuffle=True, random_state=SEARCH["fold_seed"]).split(ROWS))

Regressor: TypeAlias = RandomForestRegressor | XGBRegressor


def regressor(family: str, parameters: dict[str, float]) -> Regressor:
    model: Regressor = MODELS[family](**parameters, random_state=SEARCH["seed"], n_jobs=1)
    return model


def objective(family: str, parameters: dict[str, float]) -> float:
    errors = []
    for learning, testing in FOLDS:
        model = regressor(family, parameters).fit(ROWS[learning], TARGETS[learning])
        errors.append(np.mean((model.predict(ROWS[testing]) - TARGETS[testing]) ** 2))
    return float(np.mean(errors))


def main() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(multivariate=True, constant_liar=True, seed=SEARCH["seed"])
    studies = {family: optuna.create_study(sampler=sampler) for family in MODELS}
    running: dict[Future[float], tuple[optuna.Study, optuna.Trial]] = {}
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("fork")) as pool:
        for family, assignment in SEARCH["trials"]:
            study = studies[family]
            study.enqueue_trial(assignment)
            trial = study.ask({name: DISTRIBUTIONS[family][name] for name in assignment})
            running[pool.submit(objective, family, trial.params)] = study, trial
            if len(running) == WORKERS:
                tell_finished(running)
        while running:
            tell_finished(running)
    finished = {family: study for family, study in studies.items() if study.trials}
    family = min(finished, key=lambda name: finished[name].best_value)
    best = finished[family].best_params
    Path("best.json").write_text(json.dumps(best))
    joblib.dump(regressor(family, best).fit(ROWS, TARGETS), "model.joblib")


def tell_finished(running: dict[Future[float], tuple[optuna.Study, optuna.Trial]]) -> None:
    for future in wait(running, return_when=FIRST_COMPLETED).done:
        study, trial = running.pop(future)
        study.tell(trial, future.result())


if __name__ == "__main__":
    main()
