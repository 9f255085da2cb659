"""Challengers: the sealed models of experiments, which can be promoted."""

from typing import ClassVar

from housectl.contract.path_names import Digest
from housectl.contract.record import SCHEMA_VERSION, MalformedRecordError, Record


class Challenger(Record, kw_only=True):
    """Sealed model of an experiment. `housectl promote` takes the newest one by default.

    Attributes:
        number: Position in the order of sealing, which the store keeps; clocks can be wrong.
        bundle: Digest of the bundle.
        sealed_at: Time in UTC, ISO 8601, for information only.
        nonce: Random text, which makes the bytes of each challenger unique; None in format 1.
    """

    newest_version: ClassVar[int] = 2

    schema_version: int = newest_version
    number: int
    experiment: str
    bundle: Digest
    sealed_at: str
    nonce: str | None = None

    def __post_init__(self) -> None:
        """Check that only challengers of format 1 have no nonce."""
        if (self.nonce is None) != (self.schema_version == SCHEMA_VERSION):
            raise ValueError(f"format {self.schema_version} with nonce {self.nonce!r}")


def parse_challenger(data: bytes, number: int) -> Challenger:
    """Return the challenger with this number from its JSON.

    Raises:
        MalformedRecordError: The data is not a challenger, or has another number.
        NewerFormatError: A newer housectl wrote the challenger.
    """
    challenger = Challenger.from_json(data)
    if challenger.number != number:
        raise MalformedRecordError(f"its number is {challenger.number} instead of {number}")
    return challenger
