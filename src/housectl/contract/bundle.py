"""Bundles: sealed models, named by the digest of their content."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from housectl.contract.bundle_record import (
    BUNDLE_FILE,
    CARD_FILE,
    MODEL_FILE,
    SHORT_DIGEST,
    BundleRecord,
    Provenance,
    bundle_version,
)
from housectl.contract.files import write_and_sync
from housectl.contract.golden import GOLDEN_FILE, Golden
from housectl.contract.leaf_rows import LEAF_ROWS_FILE, MAX_LEAF_ROWS_BYTES
from housectl.contract.metrics import METRICS_FILE, Metrics
from housectl.contract.recipe import Recipe
from housectl.contract.record import MalformedRecordError, require
from housectl.contract.reference import REFERENCE_FILE, Reference
from housectl.contract.regular_files import MAX_MODEL_BYTES, MAX_RECORD_BYTES, read_regular
from housectl.contract.schema import Schema
from housectl.errors import BundleError

FileReader = Callable[[str, int], bytes]

_ROLLBACK = "housectl rollback   # makes an earlier bundle the champion"
# Parsed JSON takes up to fifty times its size in memory.
_MAX_JSON_BYTES = 4 * 2**20
_MAX_BYTES = {
    BUNDLE_FILE: _MAX_JSON_BYTES,
    METRICS_FILE: _MAX_JSON_BYTES,
    GOLDEN_FILE: _MAX_JSON_BYTES,
    REFERENCE_FILE: _MAX_JSON_BYTES,
    LEAF_ROWS_FILE: MAX_LEAF_ROWS_BYTES,
    CARD_FILE: MAX_RECORD_BYTES,
}


@dataclass(frozen=True, kw_only=True)
class BundleSummary:
    """Record and errors of a bundle, without its model."""

    record: BundleRecord
    metrics: Metrics


@dataclass(frozen=True)
class Bundle:
    """Checked bundle in memory; later changes of its files do not matter.

    Attributes:
        location: Path or URL that it was read from.
        reference: Distributions of the training rows; None in bundles of earlier versions.
    """

    location: str
    digest: str
    record: BundleRecord
    metrics: Metrics
    golden: Golden
    content: Mapping[str, bytes]
    reference: Reference | None = None

    @property
    def version(self) -> str:
        """First digits of the digest, for display."""
        return self.digest[:SHORT_DIGEST]

    @property
    def model(self) -> bytes:
        """The ONNX graph."""
        return self.content[MODEL_FILE]

    @property
    def holdout_mse(self) -> float:
        """MSE on the held-out rows."""
        return self.metrics.holdout_mse if self.metrics.holdout_mse is not None else float("nan")


def write_bundle(
    directory: Path,
    files: Mapping[str, bytes],
    *,
    schema: Schema,
    recipe: Recipe,
    provenance: Provenance,
) -> BundleRecord:
    """Write a bundle's files and its record into an empty directory; the caller renames it."""
    record = BundleRecord(
        schema_version=bundle_version(files),
        schema=schema,
        recipe=recipe,
        files={name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())},
        provenance=provenance,
    )
    for name, data in files.items():
        write_and_sync(directory / name, data)
    write_and_sync(directory / BUNDLE_FILE, record.to_json())
    return record


def read_bundle(path: Path, *, expected: str | None = None) -> Bundle:
    """Read a bundle from a directory and check every byte of it.

    Args:
        path: Directory of the bundle.
        expected: Digest that the bundle must have.

    Raises:
        BundleError: The bundle is missing, altered or incomplete, or has another digest.
        NewerFormatError: A newer housectl wrote the bundle.
    """
    return load_bundle(
        lambda name, limit: read_regular(path / name, limit=limit),
        location=str(path),
        expected=expected,
    )


def load_bundle(read_file: FileReader, *, location: str, expected: str | None = None) -> Bundle:
    """Read a bundle from any storage and check every byte of it.

    Args:
        read_file: Returns the content of a file by its name and its largest size in bytes, or
            raises OSError.
        location: Path or URL of the bundle.
        expected: Digest that the bundle must have.

    Raises:
        BundleError: The bundle is missing, altered or incomplete, or has another digest.
        NewerFormatError: A newer housectl wrote the bundle.
    """
    with _translate_bundle_errors(location, hint=_ROLLBACK):
        return _parse_bundle(read_file, location=location, expected=expected)


def load_summary(
    read_file: FileReader, *, location: str, expected: str, hint: str
) -> BundleSummary:
    """Read record and errors of a bundle from any storage, and check their bytes.

    The arguments are those of `load_bundle`; `hint` is that of an invalid bundle.

    Raises:
        BundleError: The bundle is missing or altered, or has another digest.
        NewerFormatError: A newer housectl wrote the bundle.
    """
    with _translate_bundle_errors(location, hint=hint):
        record = BundleRecord.from_json(read_file(BUNDLE_FILE, _MAX_JSON_BYTES))
        require(record.digest == expected, f"its digest is {record.digest[:SHORT_DIGEST]}")
        metrics = Metrics.from_json(_checked(read_file, METRICS_FILE, record.files[METRICS_FILE]))
        return BundleSummary(record=record, metrics=metrics)


@contextmanager
def _translate_bundle_errors(location: str, *, hint: str) -> Iterator[None]:
    try:
        yield
    except (OSError, MalformedRecordError) as error:
        raise BundleError(f"The bundle {location} is invalid: {error}.", hint=hint) from error


def max_file_bytes(name: str) -> int:
    """Return the largest size in bytes of a file in a bundle."""
    return _MAX_BYTES.get(name, MAX_MODEL_BYTES)


def _parse_bundle(read_file: FileReader, *, location: str, expected: str | None) -> Bundle:
    record = BundleRecord.from_json(read_file(BUNDLE_FILE, max_file_bytes(BUNDLE_FILE)))
    content = {name: _checked(read_file, name, sha256) for name, sha256 in record.files.items()}
    metrics = Metrics.from_json(content[METRICS_FILE])
    golden = Golden.from_json(content[GOLDEN_FILE])
    reference = Reference.from_json(content[REFERENCE_FILE]) if REFERENCE_FILE in content else None
    digest = record.digest
    require(expected in {None, digest}, f"its digest is {digest[:SHORT_DIGEST]}")
    require(metrics.holdout_mse is not None, f"{METRICS_FILE} has no holdout_mse")
    require(golden.features == record.recipe.features, f"{GOLDEN_FILE} has other features")
    require(
        reference is None or reference.features.keys() == set(record.recipe.features),
        f"{REFERENCE_FILE} has other features",
    )
    return Bundle(
        location=location,
        digest=digest,
        record=record,
        metrics=metrics,
        golden=golden,
        content=content,
        reference=reference,
    )


def _checked(read_file: FileReader, name: str, sha256: str) -> bytes:
    data = read_file(name, max_file_bytes(name))
    require(hashlib.sha256(data).hexdigest() == sha256, f"{name} was altered")
    return data
