"""What sealing makes: a bundle and its evidence, in one directory, both or none."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from housectl.contract.bundle import Bundle, BundleRecord, Provenance, read_bundle, write_bundle
from housectl.contract.evidence import EVIDENCE_FILE, Evidence
from housectl.contract.files import atomic_directory, remove_tree, write_and_sync
from housectl.contract.record import MalformedRecordError
from housectl.contract.schema import Schema
from housectl.errors import BundleError, NewerFormatError

_BUNDLE_DIRECTORY = "bundle"


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """A bundle, which is held in memory, and the evidence of its recipe."""

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
    """Write the output of a sealing task, in place of what another task has left there.

    The whole output of another attempt at the same task stays.

    Args:
        output: Directory that appears whole or not at all.
        files: The bundle's, by name.
        schema: What the bundle's rows and target are.
        evidence: Its recipe is the bundle's.
        provenance: Where the bundle is made.

    Raises:
        MachineError: The output cannot be written.
    """
    with atomic_directory(output) as directory:
        bundle = directory / _BUNDLE_DIRECTORY
        bundle.mkdir()
        record = write_bundle(
            bundle, files, schema=schema, recipe=evidence.recipe, provenance=provenance
        )
        write_and_sync(directory / EVIDENCE_FILE, evidence.to_json())
        if not _already_written(output, record):
            remove_tree(output)


def read_sealed(output: Path) -> Sealed:
    """Read the output of a sealing task and check every byte of it.

    Raises:
        BundleError: Something is missing or altered.
        NewerFormatError: It was written by a newer housectl.
    """
    bundle = read_bundle(output / _BUNDLE_DIRECTORY)
    try:
        evidence = Evidence.from_json((output / EVIDENCE_FILE).read_bytes())
    except (OSError, MalformedRecordError) as error:
        raise _invalid(output, str(error)) from error
    if evidence.recipe != bundle.record.recipe:
        raise _invalid(output, "the evidence is of another recipe than the bundle")
    return Sealed(bundle=bundle, evidence=evidence)


def _already_written(output: Path, expected: BundleRecord) -> bool:
    """Return whether another attempt at this very task has written its output."""
    try:
        found = read_sealed(output).bundle
    except (BundleError, NewerFormatError):
        return False
    return (found.digest, found.record.provenance.origin) == (
        expected.digest,
        expected.provenance.origin,
    )


def _invalid(output: Path, why: str) -> BundleError:
    return BundleError(
        f"The output {output} is refused: {why}.", hint="housectl tune   # makes another"
    )
