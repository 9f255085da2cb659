"""Bundles: sealed models, named by the digest of what they are."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from housectl.contract.files import write_and_sync
from housectl.contract.golden import GOLDEN_FILE, Golden
from housectl.contract.metrics import METRICS_FILE, Metrics
from housectl.contract.recipe import Recipe
from housectl.contract.record import SCHEMA_VERSION, MalformedRecordError, Record, digest_of
from housectl.contract.schema import Schema
from housectl.errors import BundleError

BUNDLE_FILE = "bundle.json"
MODEL_FILE = "model.onnx"
CARD_FILE = "MODEL_CARD.md"
SHORT_DIGEST = 12


class RecipeOrigin(Record, kw_only=True):
    """What a recipe was found by."""

    experiment: str | None = None
    trial: str | None = None
    backend: str | None = None
    image: str | None = None
    commit: str | None = None


class Provenance(RecipeOrigin, kw_only=True):
    """Where a bundle was made. It is no part of the digest: the same model is the same anywhere."""

    python: str
    platform: str
    sealed_at: str

    @property
    def origin(self) -> RecipeOrigin:
        """What the recipe was found by, without when and where it was sealed."""
        return RecipeOrigin(
            **{name: getattr(self, name) for name in RecipeOrigin.__struct_fields__}
        )


class BundleRecord(Record, kw_only=True):
    """The content of bundle.json; `files` maps each other file's name to its sha256."""

    schema_version: int = SCHEMA_VERSION
    schema: Schema
    recipe: Recipe
    files: dict[str, str]
    provenance: Provenance

    @property
    def digest(self) -> str:
        """The sha256 of the canonical JSON without provenance."""
        return digest_of(
            {
                "schema_version": self.schema_version,
                "schema": self.schema,
                "recipe": self.recipe,
                "files": self.files,
            }
        )


@dataclass(frozen=True)
class Bundle:
    """A bundle that was checked and is held in memory: what the disk does later is no matter."""

    path: Path
    digest: str
    record: BundleRecord
    metrics: Metrics
    golden: Golden
    content: Mapping[str, bytes]

    @property
    def version(self) -> str:
        """The first digits of the digest, for people."""
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
    """Read a bundle and check every byte of it.

    Args:
        path: The bundle's directory.
        expected: The digest it must have.

    Raises:
        BundleError: It is missing, altered, incomplete or another one than expected.
        NewerFormatError: It was written by a newer housectl.
    """
    try:
        record = BundleRecord.from_json((path / BUNDLE_FILE).read_bytes())
        content = {name: _checked(path, name, sha256) for name, sha256 in record.files.items()}
        _require(path, set(content) >= {MODEL_FILE, METRICS_FILE, GOLDEN_FILE}, "it is incomplete")
        metrics = Metrics.from_json(content[METRICS_FILE])
        golden = Golden.from_json(content[GOLDEN_FILE])
    except (OSError, MalformedRecordError) as error:
        raise _invalid(path, str(error)) from error
    digest = record.digest
    _require(path, expected in {None, digest}, f"its digest is {digest[:SHORT_DIGEST]}")
    _require(path, metrics.holdout_mse is not None, f"{METRICS_FILE} has no holdout_mse")
    _require(
        path,
        golden.features == record.recipe.features == record.schema.feature_names,
        "its parts disagree about the features",
    )
    return Bundle(
        path=path, digest=digest, record=record, metrics=metrics, golden=golden, content=content
    )


def _checked(path: Path, name: str, sha256: str) -> bytes:
    _require(path, Path(name).name == name, f"its record names a file outside of it: {name!r}")
    data = (path / name).read_bytes()
    _require(path, hashlib.sha256(data).hexdigest() == sha256, f"{name} was altered")
    return data


def _require(path: Path, condition: bool, why: str) -> None:  # noqa: FBT001
    if not condition:
        raise _invalid(path, why)


def _invalid(path: Path, why: str) -> BundleError:
    return BundleError(
        f"The bundle {path} is refused: {why}.",
        hint="housectl rollback   # makes an earlier bundle the champion",
    )
