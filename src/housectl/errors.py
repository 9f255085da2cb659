"""Every error that housectl reports, and the exit status that each one ends a command with."""

from enum import IntEnum
from functools import partial
from typing import ClassVar


class ExitStatus(IntEnum):
    """What a command's exit status says."""

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


class HousectlError(Exception):
    """A failure with a known cause and a known hint.

    Args:
        message: What happened and why, one sentence or a few lines.
        hint: The hint: a command to type whenever one exists.
    """

    status: ClassVar[ExitStatus]
    reference: ClassVar[str]

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        # An exception is rebuilt from positional arguments only, when another process sends it.
        return partial(type(self), self.message, hint=self.hint), ()


class CheckWarning(Exception):  # noqa: N818  # no error: the command goes on
    """Something to know that stops nothing.

    Args:
        message: What it is, one sentence or two.
        hint: A command to type whenever one exists.
    """

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(HousectlError):
    """The command line asks for something that cannot be."""

    status = ExitStatus.USAGE
    reference = "usage"


class ProjectError(HousectlError):
    """housectl.yaml is missing or wrong."""

    status = ExitStatus.USAGE
    reference = "project-file"


class DataError(HousectlError):
    """The data file cannot be trained on."""

    status = ExitStatus.USAGE
    reference = "data"


class AssignmentError(HousectlError):
    """A trainer was given a parameter that its family does not have, or a value that is none."""

    status = ExitStatus.USAGE
    reference = "assignment"


class UnknownExperimentError(HousectlError):
    """No experiment has that name."""

    status = ExitStatus.USAGE
    reference = "unknown-experiment"


class AlreadyExistsError(HousectlError):
    """An experiment, or an object that housectl did not make, has that name already."""

    status = ExitStatus.CLUSTER
    reference = "name-taken"


class ClusterError(HousectlError):
    """The cluster refuses, or lacks something."""

    status = ExitStatus.CLUSTER
    reference = "cluster"


class ClusterUnreachableError(ClusterError):
    """The API server does not answer, or there is no kubeconfig to find it by."""

    reference = "cluster-unreachable"


class ForbiddenError(ClusterError):
    """The cluster does not let this user do it."""

    reference = "cluster-forbidden"


class RejectedError(ClusterError):
    """The cluster found what was sent to be wrong."""

    reference = "cluster-denied"


class NotFoundError(ClusterError):
    """The cluster has no such object."""

    reference = "not-on-cluster"


class ConflictError(ClusterError):
    """The cluster has an object of that name already, or another version of it."""

    reference = "cluster-conflict"


class KatibMissingError(ClusterError):
    """The cluster has no Katib, or one that is not set up."""

    reference = "katib-missing"


class PodError(ClusterError):
    """A pod that brings files to or from the volume does not work."""

    reference = "volume-pod"


class NoUsableTrialError(HousectlError):
    """The search ended without a usable trial."""

    status = ExitStatus.NO_USABLE_TRIAL
    reference = "no-usable-trial"


class TaskFailedError(HousectlError):
    """A trainer's task, such as sealing, ended badly."""

    status = ExitStatus.NO_USABLE_TRIAL
    reference = "task-failed"


class ExperimentInterruptedError(HousectlError):
    """The search was interrupted before its end and can be gone on with."""

    status = ExitStatus.NO_USABLE_TRIAL
    reference = "experiment-interrupted"


class BundleError(HousectlError):
    """A bundle is missing, altered or of another schema."""

    status = ExitStatus.BUNDLE
    reference = "bundle"


class HistoryError(HousectlError):
    """An entry of the history is missing, altered, or out of its chain."""

    status = ExitStatus.BUNDLE
    reference = "history"


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
    """The server does not answer as the champion does."""

    status = ExitStatus.VERIFICATION_FAILED
    reference = "verification-failed"


class LocalEnvironmentError(HousectlError):
    """This machine is in the way: disk full, read-only, a library missing."""

    status = ExitStatus.LOCAL_ENVIRONMENT
    reference = "machine"


class ToolMissingError(LocalEnvironmentError):
    """A program that housectl calls is not installed, or does not work here."""

    reference = "tool-missing"


class PortBusyError(LocalEnvironmentError):
    """Another program listens on the port."""

    reference = "port-busy"


class ConcurrentUpdateError(LocalEnvironmentError):
    """Another command changed the champion, or holds what this one needs."""

    reference = "overtaken"


class NewerFormatError(LocalEnvironmentError):
    """A file was written by a newer housectl."""

    reference = "newer-format"


class ServerUnreachableError(HousectlError):
    """The server cannot be reached."""

    status = ExitStatus.SERVER_UNREACHABLE
    reference = "server-unreachable"
