"""The record of a plan, in an annotation of every object: later commands need no housectl.yaml."""

from housectl.backends.workload import WorkloadRecord
from housectl.contract.path_names import Digest
from housectl.contract.record import SCHEMA_VERSION, MalformedRecordError
from housectl.project.fields import KatibSettings


class KatibPlanRecord(WorkloadRecord, kw_only=True):
    """Everything that the manifests of an experiment or a task are made of.

    Attributes:
        inputs: Digest of the inputs.
        settings: The settings of the project file with the image that runs. They have no context,
            because its name differs between kubeconfigs.
    """

    schema_version: int = SCHEMA_VERSION
    inputs: Digest
    settings: KatibSettings

    @property
    def image(self) -> str:
        """The trainer's image."""
        if self.settings.image is None:
            raise MalformedRecordError("no image")
        return self.settings.image
