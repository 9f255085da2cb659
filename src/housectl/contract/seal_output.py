"""Output of sealing: a bundle, its evidence and the trainer's lock, in one directory."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from housectl.contract.bundle import Bundle, read_bundle, write_bundle
from housectl.contract.bundle_record import BundleRecord, Provenance
from housectl.contract.evidence import EVIDENCE_FILE, Evidence
from housectl.contract.files import atomic_directory, remove_tree, write_and_sync
from housectl.contract.record import MalformedRecordError
from housectl.contract.regular_files import read_regular
from housectl.contract.schema import Schema
from housectl.errors import BundleError, NewerFormatError

_BUNDLE_DIRECTORY = "bundle"
_LOCK_FILE = "requirements.txt"


@dataclass(frozen=True, kw_only=True)
class SealOutput:
    """A bundle in memory, and the evidence of its recipe.

    Attributes:
        lock: The lock that the bundle's provenance names; None if it names none.
    """

    bundle: Bundle
    evidence: Evidence
    lock: bytes | None = None


def write_sealed(
    output: Path,
    files: Mapping[str, bytes],
    *,
    schema: Schema,
    evidence: Evidence,
    provenance: Provenance,
    lock: bytes | None,
) -> None:
    """Write the output of a sealing task; replace the output of another task.

    The complete output of another attempt at the same task is kept.

    Args:
        output: Directory that is created atomically.
        files: Files of the bundle, by name.
        schema: Schema of the bundle.
        evidence: Evidence of the bundle's recipe.
        provenance: Origin and environment of the bundle.
        lock: The trainer's lock; None if it was installed without one.

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
        if lock is not None:
            write_and_sync(directory / _LOCK_FILE, lock)
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
        lock = _read_lock(output, bundle.record.provenance.lock)
    except (OSError, MalformedRecordError) as error:
        raise _invalid(output, str(error)) from error
    if (evidence.recipe, evidence.bundle) != (bundle.record.recipe, bundle.digest):
        raise _invalid(output, "the evidence is of another bundle")
    return SealOutput(bundle=bundle, evidence=evidence, lock=lock)


def _read_lock(output: Path, expected: str | None) -> bytes | None:
    if expected is None:
        return None
    lock = read_regular(output / _LOCK_FILE)
    if hashlib.sha256(lock).hexdigest() != expected:
        raise MalformedRecordError(f"{_LOCK_FILE} was altered")
    return lock


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
