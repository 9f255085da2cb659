"""The images that were pushed for a project, by digest: what its trials and servers run."""

from enum import StrEnum
from pathlib import Path

from housectl.contract.files import atomic_write
from housectl.contract.record import SCHEMA_VERSION, MalformedRecordError, Record
from housectl.errors import LocalEnvironmentError


class ImageKind(StrEnum):
    """What an image is for; its name is `housectl-` and this."""

    TRAINER = "trainer"
    SERVER = "server"


class PushedImages(Record, kw_only=True):
    """References such as `registry.example/team/housectl-trainer@sha256:…`."""

    trainer: str
    server: str
    schema_version: int = SCHEMA_VERSION


def local_image(kind: ImageKind, *, tag: str = "dev") -> str:
    """Return the name that `make images` gives to an image."""
    return f"housectl-{kind}:{tag}"


def write_pushed_images(path: Path, images: PushedImages) -> None:
    """Record what was pushed; `path` is a workspace's `images`.

    Raises:
        MachineError: The disk is full, read-only or not writable.
    """
    atomic_write(path, images.to_json())


def pushed_image(path: Path, kind: ImageKind) -> str | None:
    """Return the reference of the image that was pushed; None when none was.

    Raises:
        MachineError: The record is no record.
        NewerFormatError: A newer housectl wrote it.
    """
    try:
        images = PushedImages.from_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except MalformedRecordError as error:
        raise LocalEnvironmentError(
            f"{path} is no record of images: {error}.",
            hint=f"rm {path}   # `make images PUSH=REGISTRY` writes it again",
        ) from error
    return images.trainer if kind is ImageKind.TRAINER else images.server
