"""Tune regressors on a CSV, and deploy a new model only if it beats the one in production.

The command line does nothing that this API cannot do.

>>> import housectl
>>> project = housectl.open()
>>> project.tune().holdout_mse < 50
True
>>> project.promote().comparison.verdict.accepted
True
>>> project.history()[-1].bundle == project.champion().digest
True

Every method raises subclasses of `HousectlError`, which `housectl.errors` lists.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from housectl import errors
from housectl.errors import ExitStatus, HousectlError

if TYPE_CHECKING:
    from housectl.api.functions import ProjectDraft, init, init_github, open  # noqa: A004
    from housectl.api.project import Project
    from housectl.api.store_functions import check_store, copy_store
    from housectl.backend_registry import BACKENDS
    from housectl.backends.base import Overview, Plan, Snapshot, Task
    from housectl.champion_verification import VerificationRun
    from housectl.cluster_setup import AppliedObject, ApplyResult, ClusterSetup, Overlay
    from housectl.comparison import Comparison
    from housectl.contract.api_keys import ApiKey
    from housectl.contract.evidence import Evidence, HoldoutErrors
    from housectl.contract.families import Family
    from housectl.contract.history import HistoryEntry
    from housectl.doctor.runner import CheckResult
    from housectl.documentation import documentation_url
    from housectl.drift import DriftLevel, DriftReport, FeatureDrift
    from housectl.estimation.search_estimate import SearchEstimate
    from housectl.experiment import MODELS_TO_KEEP, Experiment, ExperimentState, Trial, TrialState
    from housectl.explanations import Explanation, error_url, explain, explanations
    from housectl.file_prediction import FilePrediction, PredictedRow
    from housectl.fold_difference import FoldDifference
    from housectl.pipeline.steps import PipelineRun, Step, StepAction, StepResult
    from housectl.project.override import Override
    from housectl.promotion import Promotion
    from housectl.registry.comparison import RegistryComparison, RegistryLine
    from housectl.registry.mirror import RegistrySync
    from housectl.registry.sync import RegistryChange
    from housectl.reproduction.result import Reproduction
    from housectl.sealed_model import SealedModel
    from housectl.store.checking.problems import ProblemKind, StoreProblem
    from housectl.store.checking.store_check import StoreReport
    from housectl.store.copying.copy_report import CopyReport
    from housectl.submitted_experiment import PruneResult, SubmittedExperiment, TrainerLog
    from housectl.verdict import Gate, Verdict
    from housectl.verification.verify import Verification
    from housectl.waiting import ProgressReporter
else:
    # Loaded on first use: `import housectl` and `housectl --help` stay fast.
    _MODULES = {
        "ApiKey": "contract.api_keys",
        "AppliedObject": "cluster_setup",
        "ApplyResult": "cluster_setup",
        "BACKENDS": "backend_registry",
        "CheckResult": "doctor.runner",
        "ClusterSetup": "cluster_setup",
        "Comparison": "comparison",
        "RegistryLine": "registry.comparison",
        "CopyReport": "store.copying.copy_report",
        "DriftLevel": "drift",
        "DriftReport": "drift",
        "Evidence": "contract.evidence",
        "Experiment": "experiment",
        "ExperimentState": "experiment",
        "Explanation": "explanations",
        "Family": "contract.families",
        "FeatureDrift": "drift",
        "FilePrediction": "file_prediction",
        "FoldDifference": "fold_difference",
        "Gate": "verdict",
        "HistoryEntry": "contract.history",
        "HoldoutErrors": "contract.evidence",
        "MODELS_TO_KEEP": "experiment",
        "Overlay": "cluster_setup",
        "Override": "project.override",
        "Overview": "backends.base",
        "PipelineRun": "pipeline.steps",
        "Plan": "backends.base",
        "PredictedRow": "file_prediction",
        "ProblemKind": "store.checking.problems",
        "ProgressReporter": "waiting",
        "Project": "api.project",
        "ProjectDraft": "api.functions",
        "Promotion": "promotion",
        "PruneResult": "submitted_experiment",
        "RegistryChange": "registry.sync",
        "RegistryComparison": "registry.comparison",
        "RegistrySync": "registry.mirror",
        "Reproduction": "reproduction.result",
        "SealedModel": "sealed_model",
        "SearchEstimate": "estimation.search_estimate",
        "Snapshot": "backends.base",
        "Step": "pipeline.steps",
        "StepAction": "pipeline.steps",
        "StepResult": "pipeline.steps",
        "StoreProblem": "store.checking.problems",
        "StoreReport": "store.checking.store_check",
        "SubmittedExperiment": "submitted_experiment",
        "Task": "backends.base",
        "TrainerLog": "submitted_experiment",
        "Trial": "experiment",
        "TrialState": "experiment",
        "Verdict": "verdict",
        "Verification": "verification.verify",
        "VerificationRun": "champion_verification",
        "check_store": "api.store_functions",
        "copy_store": "api.store_functions",
        "documentation_url": "documentation",
        "error_url": "explanations",
        "explain": "explanations",
        "explanations": "explanations",
        "init": "api.functions",
        "init_github": "api.functions",
        "open": "api.functions",
    }

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)

    def __dir__() -> list[str]:
        return [*__all__]


__all__ = [
    "BACKENDS",
    "MODELS_TO_KEEP",
    "ApiKey",
    "AppliedObject",
    "ApplyResult",
    "CheckResult",
    "ClusterSetup",
    "Comparison",
    "CopyReport",
    "DriftLevel",
    "DriftReport",
    "Evidence",
    "ExitStatus",
    "Experiment",
    "ExperimentState",
    "Explanation",
    "Family",
    "FeatureDrift",
    "FilePrediction",
    "FoldDifference",
    "Gate",
    "HistoryEntry",
    "HoldoutErrors",
    "HousectlError",
    "Overlay",
    "Override",
    "Overview",
    "PipelineRun",
    "Plan",
    "PredictedRow",
    "ProblemKind",
    "ProgressReporter",
    "Project",
    "ProjectDraft",
    "Promotion",
    "PruneResult",
    "RegistryChange",
    "RegistryComparison",
    "RegistryLine",
    "RegistrySync",
    "Reproduction",
    "SealedModel",
    "SearchEstimate",
    "Snapshot",
    "Step",
    "StepAction",
    "StepResult",
    "StoreProblem",
    "StoreReport",
    "SubmittedExperiment",
    "Task",
    "TrainerLog",
    "Trial",
    "TrialState",
    "Verdict",
    "Verification",
    "VerificationRun",
    "check_store",
    "copy_store",
    "documentation_url",
    "error_url",
    "errors",
    "explain",
    "explanations",
    "init",
    "init_github",
    "open",
]
