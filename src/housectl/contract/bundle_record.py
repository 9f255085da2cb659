"""The record of a bundle, bundle.json: its recipe, the digests of its files, and its provenance."""

from collections.abc import Iterable
from typing import ClassVar

import msgspec

from housectl.contract.golden import GOLDEN_FILE, GoldenSource
from housectl.contract.leaf_rows import LEAF_ROWS_FILE
from housectl.contract.metrics import METRICS_FILE
from housectl.contract.path_names import Digest
from housectl.contract.recipe import Recipe
from housectl.contract.record import SCHEMA_VERSION, Record, digest_of
from housectl.contract.reference import REFERENCE_FILE
from housectl.contract.schema import Schema

BUNDLE_FILE = "bundle.json"
MODEL_FILE = "model.onnx"
CARD_FILE = "MODEL_CARD.md"
SHORT_DIGEST = 12

_WITH_REFERENCE = 2
_FILES_WITH_REFERENCE = frozenset({LEAF_ROWS_FILE, REFERENCE_FILE})


class RecipeOrigin(Record, kw_only=True):
    """Origin of a recipe: the trial that found it, and the program that ran the trial."""

    experiment: str | None = None
    trial: str | None = None
    backend: str | None = None
    image: str | None = None
    commit: str | None = None


class Provenance(RecipeOrigin, kw_only=True):
    """Origin and environment of a bundle. The digest excludes them: it identifies the model.

    Bundles of earlier versions lack the fields with a default.

    Attributes:
        housectl: Version of the trainer.
        code: Digest of the trainer's Python files.
        lock: sha256 of the trainer's lock. The recipe has the installed versions of the libraries.
        image_digest: Digest of the image that ran; None without containers, or if it is unknown.
        golden: Origin of the golden rows.
    """

    python: str
    platform: str
    sealed_at: str
    processor: str | None = None
    housectl: str | None = None
    code: Digest | None = None
    lock: Digest | None = None
    image_digest: str | None = None
    golden: GoldenSource | None = None

    @property
    def origin(self) -> RecipeOrigin:
        """Origin of the recipe, without time and environment of sealing."""
        return RecipeOrigin(
            **{name: getattr(self, name) for name in RecipeOrigin.__struct_fields__}
        )


class BundleRecord(Record, kw_only=True):
    """Content of bundle.json.

    Attributes:
        schema_version: 2 if the bundle has a reference.
        files: sha256 of each other file, by name.
    """

    newest_version: ClassVar[int] = _WITH_REFERENCE

    schema_version: int
    schema: Schema
    recipe: Recipe
    files: dict[str, str]
    provenance: Provenance

    def __post_init__(self) -> None:
        """Check the names of the files, and that schema and recipe have the same features."""
        required = {MODEL_FILE, METRICS_FILE, GOLDEN_FILE}
        optional = {
            CARD_FILE,
            self.recipe.family.definition.native_file,
            *_FILES_WITH_REFERENCE,
        }
        if missing := required - self.files.keys():
            raise ValueError(f"it has no {min(missing)}")
        if self.files.keys() - required - optional:
            raise ValueError("it has files that no bundle has")
        if self.schema_version != bundle_version(self.files):
            raise ValueError(f"it is of version {self.schema_version} and has other files")
        if self.recipe.features != self.schema.feature_names:
            raise ValueError("its schema and its recipe have different features")

    def without_files_since(self, version: int) -> "BundleRecord":
        """Return the record that an earlier version would have written for the same model."""
        if version >= self.schema_version:
            return self
        files = {
            name: each for name, each in self.files.items() if name not in _FILES_WITH_REFERENCE
        }
        return msgspec.structs.replace(self, schema_version=version, files=files)

    @property
    def digest(self) -> str:
        """sha256 of the canonical JSON without provenance."""
        return digest_of(
            {
                "schema_version": self.schema_version,
                "schema": self.schema,
                "recipe": self.recipe,
                "files": self.files,
            }
        )


def bundle_version(files: Iterable[str]) -> int:
    """Return the version of the record of a bundle with these files."""
    return SCHEMA_VERSION if _FILES_WITH_REFERENCE.isdisjoint(files) else _WITH_REFERENCE
