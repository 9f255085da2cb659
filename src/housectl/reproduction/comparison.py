"""Comparison of a bundle with its reproduction: the files, and all inputs. Pure."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec

from housectl.contract.bundle import Bundle
from housectl.contract.bundle_record import (
    BUNDLE_FILE,
    CARD_FILE,
    SHORT_DIGEST,
    BundleRecord,
    Provenance,
)
from housectl.contract.evidence import EVIDENCE_FILE, Evidence
from housectl.contract.path_names import is_digest
from housectl.contract.recipe import Recipe
from housectl.contract.seal_output import SealOutput

# The other fields of a provenance do not change a bundle.
_ENVIRONMENT = (
    *("golden", "lock", "housectl", "code", "image_digest", "python", "platform", "processor"),
)
_CARD_SECTIONS = ("## Data", "## Recipe")


@dataclass(frozen=True, kw_only=True)
class FileComparison:
    """The sha256 of a recorded file and of the reproduced one; None if there is no such file.

    The digest of a bundle takes the place of the sha256 of bundle.json, because times differ.
    """

    file: str
    recorded: str | None
    reproduced: str | None

    @property
    def equal(self) -> bool:
        """True if both files have the same bytes."""
        return self.recorded == self.reproduced


@dataclass(frozen=True, kw_only=True)
class InputDifference:
    """An input of the recorded training, and the different one of the reproduction.

    Attributes:
        recorded: None if the bundle does not record it.
    """

    input: str
    recorded: str | None
    reproduced: str | None

    def __str__(self) -> str:
        return f"{self.input} ({self.recorded or 'not recorded'}, now {self.reproduced or 'none'})"


def compare_files(
    bundle: Bundle, evidence: Evidence | None, sealed: SealOutput
) -> tuple[FileComparison, ...]:
    """Compare all files of a bundle and its evidence; missing evidence is not compared.

    Files that the version of the recorded bundle did not have are not compared.
    """
    recorded = _digests(bundle.record, evidence)
    reproduced = _digests(comparable_record(bundle, sealed.bundle), sealed.evidence)
    names = sorted({*recorded, *reproduced} - ({EVIDENCE_FILE} if evidence is None else set()))
    return tuple(
        FileComparison(file=name, recorded=recorded.get(name), reproduced=reproduced.get(name))
        for name in names
    )


def compare_inputs(
    bundle: Bundle, evidence: Evidence | None, sealed: SealOutput
) -> tuple[InputDifference, ...]:
    """Return the inputs that differ, or of which the bundle's records contradict each other."""
    return (
        *_recipe_differences(bundle.record.recipe, sealed.bundle.record.recipe, prefix=""),
        *(
            _recipe_differences(evidence.recipe, bundle.record.recipe, prefix=f"{EVIDENCE_FILE}: ")
            if evidence
            else ()
        ),
        *_card_differences(bundle, sealed.bundle),
        *_environment_differences(bundle.record.provenance, sealed.bundle.record.provenance),
    )


def comparable_record(bundle: Bundle, reproduced: Bundle) -> BundleRecord:
    """Return the record of the reproduced bundle in the format of the recorded one."""
    return reproduced.record.without_files_since(bundle.record.schema_version)


def _digests(record: BundleRecord, evidence: Evidence | None) -> Mapping[str, str]:
    own = hashlib.sha256(evidence.to_json()).hexdigest() if evidence else None
    return {
        **record.files,
        BUNDLE_FILE: record.digest,
        **({EVIDENCE_FILE: own} if own else {}),
    }


def _recipe_differences(
    recorded: Recipe, used: Recipe, *, prefix: str
) -> Iterator[InputDifference]:
    before, after = _leaves(msgspec.to_builtins(recorded)), _leaves(msgspec.to_builtins(used))
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield InputDifference(
                input=f"{prefix}recipe {name}",
                recorded=before.get(name),
                reproduced=after.get(name),
            )


def _leaves(value: object, name: str = "") -> Mapping[str, str]:
    """Return the values of nested mappings, by dotted names."""
    if not isinstance(value, dict):
        return {name: str(value)}
    return {
        leaf: text
        for key, each in value.items()
        for leaf, text in _leaves(each, f"{name}.{key}" if name else str(key)).items()
    }


def _card_differences(bundle: Bundle, reproduced: Bundle) -> Iterator[InputDifference]:
    """Yield the facts of the training that the model card states otherwise than its recipe."""
    for section in _CARD_SECTIONS:
        before, after = (_card_lines(each, section) for each in (bundle, reproduced))
        removed = [line for line in before if line not in after]
        added = [line for line in after if line not in before]
        if before and (removed or added):
            yield InputDifference(
                input=f"{CARD_FILE}: {section.removeprefix('## ').lower()}",
                recorded="; ".join(removed) or None,
                reproduced="; ".join(added) or None,
            )


def _card_lines(bundle: Bundle, section: str) -> list[str]:
    card = bundle.content.get(CARD_FILE, b"").decode(errors="replace")
    _, _, text = card.partition(f"{section}\n")
    return [line.strip("| -") for line in text.partition("\n## ")[0].splitlines() if line.strip()]


def _environment_differences(recorded: Provenance, used: Provenance) -> Iterator[InputDifference]:
    for name in _ENVIRONMENT:
        before, after = getattr(recorded, name), getattr(used, name)
        if before != after:
            yield InputDifference(
                input=name.replace("_", " "), recorded=_short(before), reproduced=_short(after)
            )


def _short(value: str | None) -> str | None:
    """Return the first digits of a digest, and other values as they are."""
    return value[:SHORT_DIGEST] if value and is_digest(value) else value
