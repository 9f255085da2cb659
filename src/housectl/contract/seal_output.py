"""Output of sealing: a bundle and its evidence, in one directory, both or none."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from housectl.contract.bundle import Bundle, BundleRecord, Provenance, read_bundle, write_bundle
from housectl.contract.evidence import EVIDENCE_FILE, Evidence
from housectl.contract.files import atomic_directory, remove_tree, write_and_sync
from housectl.contract.record import MalformedRecordError
from housectl.contract.regular_files import read_regular
from housectl.contract.schema import Schema
from housectl.errors import BundleError, NewerFormatError

_BUNDLE_DIRECTORY = "bundle"


@dataclass(frozen=True, kw_only=True)
class SealOutput:
    """A bundle in memory, and the evidence of its recipe."""

    bundle: Bundle
    evidence: Evidence


def write_sealed(
    output: Path,
    files: Mapping[str, bytes],
    *,
    schema: Schema,
    evidence: Evidence,
    provenance: Provenance,
) -> None:
    """Write the output of a sealing task; replace the output of another task.

    The complete output of another attempt at the same task is kept.

    Args:
        output: Directory that is created atomically.
        files: Files of the bundle, by name.
        schema: Schema of the bundle.
        evidence: Evidence of the bundle's recipe.
        provenance: Origin and environment of the bundle.

    Raises:
        LocalEnvironmentError: The output cannot be written.
    """
    with atomic_directory(output) as directory:
        bundle = directory / _BUNDLE_DIRECTORY
        bundle.mkdir()
        record = write_bundle(
            bundle, files, schema=schema, recipe=evidence.recipe, provenance=provenance
        )
        bound = msgspec.structs.replace(evidence, bundle=record.digest)
        write_and_sync(directory / EVIDENCE_FILE, bound.to_json())
        if not _already_written(output, record):
            remove_tree(output)


def read_sealed(output: Path) -> SealOutput:
    """Read the output of a sealing task and check every byte of it.

    Raises:
        BundleError: A file is missing or altered.
        NewerFormatError: A newer housectl wrote the output.
    """
    bundle = read_bundle(output / _BUNDLE_DIRECTORY)
    try:
        evidence = Evidence.from_json(read_regular(output / EVIDENCE_FILE))
    except (OSError, MalformedRecordError) as error:
        raise _invalid(output, str(error)) from error
    if (evidence.recipe, evidence.bundle) != (bundle.record.recipe, bundle.digest):
        raise _invalid(output, "the evidence is of another bundle")
    return SealOutput(bundle=bundle, evidence=evidence)


def _already_written(output: Path, expected: BundleRecord) -> bool:
    """Return True if another attempt at the same task has written the output."""
    try:
        existing = read_sealed(output).bundle
    except (BundleError, NewerFormatError):
        return False
    return (existing.digest, existing.record.provenance.origin) == (
        expected.digest,
        expected.provenance.origin,
    )


def _invalid(output: Path, cause: str) -> BundleError:
    return BundleError(
        f"The sealed model {output} is invalid: {cause}.", hint="housectl tune   # seals a new one"
    )
