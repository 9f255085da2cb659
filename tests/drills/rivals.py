"""A project whose champion is worse than its challenger, made without any training."""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import housectl
from housectl.contract.bundle import Bundle, read_bundle, write_bundle
from housectl.contract.bundle_record import MODEL_FILE, Provenance
from housectl.contract.data.usable_data import UsableData, read_usable_data
from housectl.contract.evidence import Errors, Evidence
from housectl.contract.families import Family
from housectl.contract.golden import GOLDEN_FILE
from housectl.contract.inputs import Inputs
from housectl.contract.metrics import METRICS_FILE, Metrics
from housectl.contract.recipe import DEFAULT_GATE
from housectl.store.base import ChampionStore
from tests.server.bundles import expected, golden, promote, tree
from tools.project_directory import ProjectDirectory, example

_POOR, _GOOD = 60.0, 20.0


@dataclass(frozen=True)
class Rivals:
    """A project whose challenger and champion differ, and its store."""

    project: ProjectDirectory
    store: ChampionStore

    @property
    def entries(self) -> int:
        """Number of history entries."""
        return len(self.store.history())

    @property
    def champion(self) -> str:
        """Digest of the champion."""
        return self.store.require_champion().bundle

    @property
    def next_command(self) -> str:
        """The command that changes the champion: one of the two models is always better."""
        is_good = self.champion == self.store.newest_challenger().bundle
        return "rollback" if is_good else "promote"

    @property
    def recorded_champion(self) -> str:
        """Digest of the champion in deploy_details.json, which has only its start."""
        details = json.loads((self.project.path / "deploy_details.json").read_text())
        version = str(details["prod_model"]["version"])
        bundles = (entry.bundle for entry in self.store.history())
        return next(bundle for bundle in bundles if bundle.startswith(version))


def project_with_rivals(path: Path, **fields: object) -> Rivals:
    """Return a new project with a poor champion and a good challenger.

    Args:
        path: Directory of the project, which is created.
        fields: Fields of housectl.yaml, such as `store`.
    """
    project = example(".", path, gate="holdout", **fields)
    context = housectl.open(path).context
    inputs, store = context.write_inputs(), context.store
    for name, base in (("poor", _POOR), ("good", _GOOD)):
        bundle, evidence = _sealed(path / name, inputs, base)
        store.add_challenger(name, bundle, evidence)
        if name == "poor":
            promote(store, bundle)
    return Rivals(project, store)


def _sealed(directory: Path, inputs: Inputs, base: float) -> tuple[Bundle, Evidence]:
    shared = inputs.shared
    data = read_usable_data(inputs.data, shared.schema, split=shared.split, seed=shared.seed)
    mse = _holdout_mse(data, shared.schema.feature_names[0], shared.schema.target.name, base)
    recipe = shared.recipe(Family.RANDOM_FOREST, {"n_estimators": int(base)}, {})
    directory.mkdir()
    write_bundle(
        directory,
        {
            MODEL_FILE: tree(base, features=len(recipe.features)),
            METRICS_FILE: Metrics(mse=mse, fold_mses=(mse,) * 5, holdout_mse=mse).to_json(),
            GOLDEN_FILE: golden(shared.schema, base, 0.0).to_json(),
        },
        schema=shared.schema,
        recipe=recipe,
        provenance=Provenance(python="3.11", platform="test", sealed_at="2025-01-01T00:00:00"),
    )
    bundle = read_bundle(directory)
    errors = Errors(holdout_mse=mse, fold_mses=(mse,) * DEFAULT_GATE.total)
    evidence = Evidence(
        bundle=bundle.digest,
        recipe=recipe,
        holdout_rows=data.holdout_digest,
        model=errors,
        mean=errors,
        linear=errors,
    )
    return bundle, evidence


def _holdout_mse(data: UsableData, first: str, target: str, base: float) -> float:
    firsts, targets = data.table.numbers[first], data.table.numbers[target]
    errors = [expected(base, firsts[index]) - targets[index] for index in data.split.holdout]
    return math.fsum(error**2 for error in errors) / len(errors)
