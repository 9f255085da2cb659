"""Challengers: the sealed models of experiments, which can be promoted."""

from housectl.contract.record import SCHEMA_VERSION, Record


class Challenger(Record, kw_only=True):
    """Sealed model of an experiment. `housectl promote` takes the newest one by default.

    Attributes:
        bundle: Digest of the bundle.
        evidence: Key of the evidence.
        sealed_at: Time in UTC, ISO 8601.
    """

    schema_version: int = SCHEMA_VERSION
    experiment: str
    bundle: str
    evidence: str
    sealed_at: str
