"""The record of a plan, in an annotation of every object: later commands need no housectl.yaml."""

from collections.abc import Iterable

from housectl.backends.katib.labels_and_paths import PLAN_ANNOTATION
from housectl.backends.workload import WorkloadRecord
from housectl.contract.path_names import Digest
from housectl.contract.record import SCHEMA_VERSION, MalformedRecordError
from housectl.kube.objects.base import ObjectMeta
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


def find_plan_record(objects: Iterable[ObjectMeta]) -> KatibPlanRecord | None:
    """Return the record in an annotation of an experiment's or a task's objects; None without it.

    Args:
        objects: Their metadata.
    """
    texts = (metadata.annotations.get(PLAN_ANNOTATION) for metadata in objects)
    text = next(filter(None, texts), None)
    return KatibPlanRecord.from_json(text.encode()) if text else None
