"""What an annotation of each object records: later commands need no housectl.yaml."""

from housectl.backends.workload import WorkloadRecord
from housectl.contract.record import SCHEMA_VERSION, Record


class KatibSettings(Record, kw_only=True):
    """How and where trials run.

    Attributes:
        claim: Persistent volume claim of inputs and outputs.
        algorithm: Katib's name of what chooses assignments.
        cpu: Cores that a trial is scheduled by, as Kubernetes writes them.
        memory: Bytes that a trial is scheduled by.
    """

    namespace: str
    pvc: str
    algorithm: str
    cpu: str
    memory: int


class PlanRecord(WorkloadRecord, kw_only=True):
    """What was, or is to be, sent.

    Attributes:
        inputs: Digest of the inputs.
        image: The trainer's.
    """

    schema_version: int = SCHEMA_VERSION
    inputs: str
    image: str
    settings: KatibSettings
