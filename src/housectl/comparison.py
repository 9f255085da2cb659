"""Comparing a challenger with the champion on the same rows."""

from dataclasses import dataclass, replace
from functools import partial

from msgspec import structs

from housectl.contract.bundle import Bundle
from housectl.contract.evidence import Evidence, HoldoutErrors, evidence_key
from housectl.contract.history import History
from housectl.contract.inputs import Inputs
from housectl.contract.recipe import Recipe
from housectl.evidence_check import check_evidence
from housectl.inputs_finder import InputsFinder
from housectl.sealed_model import SealedModel
from housectl.sealing import Sealer
from housectl.store.base import ChampionStore
from housectl.verdict import Gate, Verdict, judge


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A verdict on a challenger.

    Attributes:
        evidence: Errors of the challenger and of the baselines.
        champion: The champion at the time of the comparison; None without one.
        champion_evidence: Errors of the champion's recipe on the same rows; None without one.
        history: The history at that time.
    """

    verdict: Verdict
    challenger: SealedModel
    evidence: Evidence
    champion: SealedModel | None
    champion_evidence: Evidence | None
    history: History

    @property
    def holdout_errors(self) -> dict[str, HoldoutErrors | None]:
        """Errors on the held-out rows: of `challenger`, `champion`, `linear` and `mean`."""
        return {
            "challenger": self.evidence.model_errors,
            "champion": self.champion_evidence.model_errors if self.champion_evidence else None,
            "linear": self.evidence.holdout_errors(self.evidence.linear),
            "mean": self.evidence.holdout_errors(self.evidence.mean),
        }

    @property
    def champion_number(self) -> int:
        """Number of the champion's history entry; 0 without one."""
        return len(self.history.entries)


@dataclass(frozen=True, kw_only=True)
class Comparer:
    """Measures challengers and champions on the same rows, and asks for the verdict.

    Attributes:
        inputs: Finds the inputs of a challenger.
    """

    store: ChampionStore
    sealer: Sealer
    gate: Gate
    inputs: InputsFinder

    def compare(self, challenger: Bundle, history: History) -> Comparison:
        """Compare a challenger with a history's champion, and record the comparison.

        If data, split, seed, libraries or training procedure differ, the champion's recipe is first
        reevaluated with the challenger's.

        Raises:
            EvidenceError: Evidence is malformed, or contradicts the predictions of its model.
            InputsError: The trainer cannot reevaluate the recipe as the challenger was trained.
        """
        champion = self.store.bundle(history.champion.bundle) if history.champion else None
        evidence_of = partial(
            self._evidence,
            inputs=self.inputs.find(challenger),
            challenger=challenger.record.recipe,
        )
        evidence = evidence_of(challenger)
        champion_evidence = evidence_of(champion) if champion else None
        verdict = judge(evidence, champion_evidence, gate=self.gate)
        rows = evidence.holdout_rows
        number = self.store.add_comparison(challenger.digest, holdout_rows=rows)
        return Comparison(
            verdict=replace(verdict, comparisons=number),
            challenger=SealedModel(challenger),
            evidence=evidence,
            champion=SealedModel(champion) if champion else None,
            champion_evidence=champion_evidence,
            history=history,
        )

    def _evidence(self, bundle: Bundle, *, inputs: Inputs, challenger: Recipe) -> Evidence:
        """Return the evidence of a bundle's recipe on these inputs; measure it if it is missing.

        The bundle's own evidence is checked against the predictions of its graph.
        """
        own = bundle.record.recipe
        recipe = structs.replace(challenger, family=own.family, assignment=own.assignment)
        key = evidence_key(recipe)
        names = (bundle.digest, key) if recipe == own else (key,)
        stored = next(filter(None, map(self.store.evidence, names)), None)
        evidence = stored or self.sealer.reevaluate(recipe, inputs)
        if recipe == own:
            remove = self.store.remove_evidence_command(*names)
            check_evidence(bundle, evidence, inputs, hint=remove)
        return evidence
