"""Every error that housectl reports, and the exit status of each.

To add an error, add a class here and a section with its reference to docs/errors.md.
"""

from enum import IntEnum
from functools import partial
from typing import ClassVar


class ExitStatus(IntEnum):
    """Exit statuses of commands."""

    OK = 0
    BUG = 1
    USAGE = 2
    CLUSTER = 3
    NO_USABLE_TRIAL = 4
    BUNDLE = 5
    VERIFICATION_FAILED = 6
    LOCAL_ENVIRONMENT = 7
    SERVER_UNREACHABLE = 8
    CHAMPION_KEPT = 10
    INTERRUPTED = 130
    PIPE_CLOSED = 141


class HousectlError(Exception):
    """A failure with a known cause and a known hint.

    Args:
        message: `<object> <problem>: <cause>.`, one sentence or a few lines.
        hint: A command that fixes or narrows the problem, if there is one.

    Attributes:
        status: Exit status of a command that fails with this error.
        reference: Section of docs/errors.md that explains the error.
    """

    status: ClassVar[ExitStatus]
    reference: ClassVar[str]

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        # Unpickling an exception passes positional arguments only.
        return partial(type(self), self.message, hint=self.hint), ()


class UsageError(HousectlError):
    """The command or call has an invalid argument."""

    status = ExitStatus.USAGE
    reference = "usage"


class ProjectError(HousectlError):
    """housectl.yaml is missing or invalid."""

    status = ExitStatus.USAGE
    reference = "project-file"


class DataError(HousectlError):
    """The data is invalid."""

    status = ExitStatus.USAGE
    reference = "data"


class AssignmentError(HousectlError):
    """A hyperparameter is unknown to its model family, or has an invalid value."""

    status = ExitStatus.USAGE
    reference = "assignment"


class TrialTooLongError(HousectlError):
    """The trials of a plan cannot end within their time limit."""

    status = ExitStatus.USAGE
    reference = "trial-too-long"


class ModelTooLargeError(HousectlError):
    """A model of a plan can be larger than a bundle may be."""

    status = ExitStatus.USAGE
    reference = "model-too-large"


class UnknownExperimentError(HousectlError):
    """No experiment has this name."""

    status = ExitStatus.USAGE
    reference = "unknown-experiment"


class AlreadyExistsError(HousectlError):
    """The name is taken by an experiment, or by an object that housectl did not create."""

    status = ExitStatus.CLUSTER
    reference = "already-exists"


class ClusterError(HousectlError):
    """The cluster rejects a request, or lacks a prerequisite."""

    status = ExitStatus.CLUSTER
    reference = "cluster"


class ClusterUnreachableError(ClusterError):
    """The API server does not answer, or there is no usable kubeconfig."""

    reference = "cluster-unreachable"


class ForbiddenError(ClusterError):
    """The user lacks a permission on the cluster."""

    reference = "cluster-forbidden"


class RejectedError(ClusterError):
    """The cluster rejected an object as invalid."""

    reference = "cluster-rejected"


class NotFoundError(ClusterError):
    """The cluster does not have the object."""

    reference = "not-found"


class ConflictError(ClusterError):
    """The cluster has an object of this name already, or a newer version of it."""

    reference = "cluster-conflict"


class KatibMissingError(ClusterError):
    """Katib is missing on the cluster, or not set up."""

    reference = "katib-missing"


class PodError(ClusterError):
    """A pod that transfers files to or from the volume fails."""

    reference = "volume-pod"


class NoUsableTrialError(HousectlError):
    """The search ended without a usable trial."""

    status = ExitStatus.NO_USABLE_TRIAL
    reference = "no-usable-trial"


class TaskFailedError(HousectlError):
    """A trainer's task, such as sealing, failed."""

    status = ExitStatus.NO_USABLE_TRIAL
    reference = "task-failed"


class ExperimentInterruptedError(HousectlError):
    """The search was interrupted and can be resumed."""

    status = ExitStatus.NO_USABLE_TRIAL
    reference = "experiment-interrupted"


class BundleError(HousectlError):
    """A bundle is missing, altered, or has another schema."""

    status = ExitStatus.BUNDLE
    reference = "bundle"


class HistoryError(HousectlError):
    """An entry of the history is missing, altered, or breaks the chain."""

    status = ExitStatus.BUNDLE
    reference = "history"


class EvidenceError(HousectlError):
    """Evidence is malformed, or differs from the model's own error."""

    status = ExitStatus.BUNDLE
    reference = "evidence"


class StoreConflictError(HousectlError):
    """A store cannot be copied, because its target is another store."""

    status = ExitStatus.BUNDLE
    reference = "store-conflict"


class InputsError(HousectlError):
    """An inputs directory is missing or altered."""

    status = ExitStatus.BUNDLE
    reference = "inputs"


class NoChampionError(HousectlError):
    """The store has no champion yet."""

    status = ExitStatus.BUNDLE
    reference = "no-champion"


class NoChallengerError(HousectlError):
    """There is no challenger to compare."""

    status = ExitStatus.BUNDLE
    reference = "no-challenger"


class SealError(HousectlError):
    """A trial's model could not be reproduced, or its ONNX form differs from it."""

    status = ExitStatus.BUNDLE
    reference = "seal"


class VerificationError(HousectlError):
    """The server does not return the champion's predictions."""

    status = ExitStatus.VERIFICATION_FAILED
    reference = "verification-failed"


class LocalEnvironmentError(HousectlError):
    """The local environment prevents the operation: disk full, read-only, library missing."""

    status = ExitStatus.LOCAL_ENVIRONMENT
    reference = "local-environment"


class ToolMissingError(LocalEnvironmentError):
    """An external program is not installed, or does not work."""

    reference = "tool-missing"


class PortBusyError(LocalEnvironmentError):
    """The port is in use."""

    reference = "port-busy"


class ObjectStoreError(LocalEnvironmentError):
    """The object store of the champions is unavailable, or refuses a request."""

    reference = "object-store"


class ConcurrentUpdateError(LocalEnvironmentError):
    """Another command changed the same state at the same time."""

    reference = "concurrent-update"


class NewerFormatError(LocalEnvironmentError):
    """A file was written by a newer housectl."""

    reference = "newer-format"


class ServerUnreachableError(HousectlError):
    """The server cannot be reached."""

    status = ExitStatus.SERVER_UNREACHABLE
    reference = "server-unreachable"


class RegistryUnavailableError(HousectlError):
    """The model registry, or its database, does not answer."""

    status = ExitStatus.SERVER_UNREACHABLE
    reference = "registry-unavailable"


class RegistryRejectedError(HousectlError):
    """The model registry rejects a request, or its answer is invalid."""

    status = ExitStatus.CLUSTER
    reference = "registry-rejected"
