"""Every error that housectl reports, and the exit status that each one ends a command with."""

from enum import IntEnum
from functools import partial
from typing import ClassVar


class ExitStatus(IntEnum):
    """What a command's exit status says."""

    DONE = 0
    BUG = 1
    USAGE = 2
    CLUSTER = 3
    NO_TRIAL = 4
    BUNDLE = 5
    MISMATCH = 6
    MACHINE = 7
    UNREACHABLE = 8
    CHAMPION_STAYS = 10
    INTERRUPTED = 130


class HousectlError(Exception):
    """A failure with a known cause and a known cure.

    Args:
        message: What happened and why, one sentence or a few lines.
        hint: The cure: a command to type whenever one exists.
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


class Concern(Exception):  # noqa: N818  # no error: the command goes on
    """Something to know that stops nothing.

    Args:
        message: What it is, one sentence or two.
        cure: A command to type whenever one exists.
    """

    def __init__(self, message: str, *, cure: str) -> None:
        super().__init__(message)
        self.cure = cure


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


class NameTakenError(HousectlError):
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


class DeniedError(ClusterError):
    """The cluster found what was sent to be wrong."""

    reference = "cluster-denied"


class AbsentError(ClusterError):
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


class NoTrialError(HousectlError):
    """The search ended without a usable trial."""

    status = ExitStatus.NO_TRIAL
    reference = "no-usable-trial"


class TaskFailedError(HousectlError):
    """A trainer's task, such as sealing, ended badly."""

    status = ExitStatus.NO_TRIAL
    reference = "task-failed"


class ExperimentStoppedError(HousectlError):
    """The search was interrupted before its end and can be gone on with."""

    status = ExitStatus.NO_TRIAL
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


class MismatchError(HousectlError):
    """The server does not answer as the champion does."""

    status = ExitStatus.MISMATCH
    reference = "verification-failed"


class MachineError(HousectlError):
    """This machine is in the way: disk full, read-only, a library missing."""

    status = ExitStatus.MACHINE
    reference = "machine"


class ToolMissingError(MachineError):
    """A program that housectl calls is not installed, or does not work here."""

    reference = "tool-missing"


class PortBusyError(MachineError):
    """Another program listens on the port."""

    reference = "port-busy"


class OvertakenError(MachineError):
    """Another command changed the champion, or holds what this one needs."""

    reference = "overtaken"


class NewerFormatError(MachineError):
    """A file was written by a newer housectl."""

    reference = "newer-format"


class UnreachableError(HousectlError):
    """The server cannot be reached."""

    status = ExitStatus.UNREACHABLE
    reference = "server-unreachable"
