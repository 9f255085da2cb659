"""Record of the images that were pushed for a project, for its searches and servers."""

from enum import StrEnum
from pathlib import Path
from shlex import quote

from housectl.contract.files import atomic_write
from housectl.contract.record import SCHEMA_VERSION, MalformedRecordError, Record
from housectl.contract.regular_files import read_regular
from housectl.errors import LocalEnvironmentError


class ImageKind(StrEnum):
    """Purpose of an image; its name is `housectl-` with this suffix."""

    TRAINER = "trainer"
    SERVER = "server"
    CLI = "cli"
    SUGGESTION = "suggestion"


class PushedImages(Record, kw_only=True):
    """References of the images, such as `registry.example/team/housectl-trainer@sha256:…`.

    Attributes:
        cli, suggestion: None in records that are older than these images.
    """

    trainer: str
    server: str
    cli: str | None = None
    suggestion: str | None = None
    schema_version: int = SCHEMA_VERSION


def local_image(kind: ImageKind, *, tag: str = "dev") -> str:
    """Return the name that `make images` gives to an image."""
    return f"housectl-{kind}:{tag}"


def write_pushed_images(path: Path, images: PushedImages) -> None:
    """Record the pushed images; `path` is a workspace's `images`.

    Raises:
        LocalEnvironmentError: The disk is full, read-only or not writable.
    """
    atomic_write(path, images.to_json())


def pushed_image(path: Path, kind: ImageKind) -> str | None:
    """Return the reference of the pushed image; None if no image was pushed.

    Raises:
        LocalEnvironmentError: The record is malformed.
        NewerFormatError: A newer housectl wrote it.
    """
    try:
        images = PushedImages.from_json(read_regular(path))
    except FileNotFoundError:
        return None
    except MalformedRecordError as error:
        raise LocalEnvironmentError(
            f"The record of pushed images {path} is malformed: {error}.",
            hint=f"rm {quote(str(path))}   # `make images PUSH=REGISTRY` writes it again",
        ) from error
    references = {
        ImageKind.TRAINER: images.trainer,
        ImageKind.SERVER: images.server,
        ImageKind.CLI: images.cli,
        ImageKind.SUGGESTION: images.suggestion,
    }
    return references[kind]
