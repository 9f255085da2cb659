"""A minimal hand-written search: `python benchmarks/search_baseline.py`.

Optuna's ask and tell over a pool of two processes: no supervisor, no records, no limits, and no
recovery from a kill. It fits the same forests on the same folds. Then it fits the best trial's
model and writes it to one file.
"""

import json
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from pathlib import Path

import joblib
import numpy as np
import optuna
from optuna.distributions import FloatDistribution, IntDistribution
from sklearn.ensemble import RandomForestRegressor
from sklearn.model_selection import KFold

WORKERS = 2
DISTRIBUTIONS = {
    "max_features": FloatDistribution(0.15, 1.0),
    "min_samples_leaf": IntDistribution(1, 8),
}
TRIALS = json.loads(Path("trials.json").read_text())
ROWS, TARGETS = np.load("rows.npy"), np.load("targets.npy")
FOLDS = list(KFold(5, shuffle=True, random_state=TRIALS["fold_seed"]).split(ROWS))


def forest(parameters: dict[str, float]) -> RandomForestRegressor:
    return RandomForestRegressor(300, **parameters, random_state=TRIALS["seed"], n_jobs=1)


def objective(parameters: dict[str, float]) -> float:
    errors = []
    for learning, testing in FOLDS:
        model = forest(parameters).fit(ROWS[learning], TARGETS[learning])
        errors.append(np.mean((model.predict(ROWS[testing]) - TARGETS[testing]) ** 2))
    return float(np.mean(errors))


def main() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(multivariate=True, constant_liar=True, seed=TRIALS["seed"])
    study = optuna.create_study(sampler=sampler)
    for assignment in TRIALS["assignments"]:
        study.enqueue_trial(assignment)
    running: dict[Future[float], optuna.Trial] = {}
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("fork")) as pool:
        for _ in TRIALS["assignments"]:
            trial = study.ask(DISTRIBUTIONS)
            running[pool.submit(objective, trial.params)] = trial
            if len(running) == WORKERS:
                tell_finished(study, running)
        while running:
            tell_finished(study, running)
    joblib.dump(forest(study.best_params).fit(ROWS, TARGETS), "model.joblib")
    print(study.best_value)


def tell_finished(study: optuna.Study, running: dict[Future[float], optuna.Trial]) -> None:
    for future in wait(running, return_when=FIRST_COMPLETED).done:
        study.tell(running.pop(future), future.result())


if __name__ == "__main__":
    main()
