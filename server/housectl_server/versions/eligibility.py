"""Eligibility of a version to run beside a champion."""

from dataclasses import dataclass
from enum import StrEnum

from housectl.contract.bundle import Bundle
from housectl.contract.schema import Schema


class VersionStatus(StrEnum):
    """Status of a shadow or a canary."""

    ACTIVE = "active"
    CHAMPION = "champion"
    INCOMPATIBLE = "incompatible"
    NO_CHAMPION = "no_champion"


@dataclass(frozen=True)
class Eligibility:
    """The status of a version, and the reason if it is not active."""

    status: VersionStatus
    reason: str | None = None

    @property
    def is_active(self) -> bool:
        """True if the version gets rows."""
        return self.status is VersionStatus.ACTIVE


NO_CHAMPION = Eligibility(VersionStatus.NO_CHAMPION, "No model has been promoted yet.")


def eligibility(version: Bundle, champion: Bundle | None) -> Eligibility:
    """Return the eligibility of a version; it must accept the same rows as the champion."""
    if champion is None:
        return NO_CHAMPION
    if version.digest == champion.digest:
        return Eligibility(VersionStatus.CHAMPION, "The version is the champion.")
    if reason := _difference(version.record.schema, champion.record.schema):
        return Eligibility(VersionStatus.INCOMPATIBLE, reason)
    return Eligibility(VersionStatus.ACTIVE)


def _difference(version: Schema, champion: Schema) -> str | None:
    """Return the first reason why a row of the champion means something else to a version."""
    if version.feature_names != champion.feature_names:
        return "The version has other features than the champion, or another order of them."
    for feature, other in zip(version.features, champion.features, strict=True):
        if feature.type != other.type:
            return f"The feature {feature.name} has another type or other levels in the champion."
    if version.target.response_key != champion.target.response_key:
        return f"The response key of the champion is {champion.target.response_key!r}."
    return None
