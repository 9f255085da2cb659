"""The record of pushed images, and what is said when it is none."""

from pathlib import Path

import pytest

from housectl.errors import LocalEnvironmentError, NewerFormatError
from housectl.pushed_images import ImageKind, PushedImages, pushed_image, write_pushed_images

PUSHED = PushedImages(trainer="registry.example/t@sha256:1", server="registry.example/s@sha256:2")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "images.json"


def test_what_was_pushed_is_read_back(path: Path) -> None:
    write_pushed_images(path, PUSHED)
    assert pushed_image(path, ImageKind.TRAINER) == PUSHED.trainer
    assert pushed_image(path, ImageKind.SERVER) == PUSHED.server


def test_nothing_was_pushed(path: Path) -> None:
    assert pushed_image(path, ImageKind.TRAINER) is None


def test_a_damaged_record_is_no_record(path: Path) -> None:
    path.write_bytes(PUSHED.to_json()[:-20])
    with pytest.raises(LocalEnvironmentError, match="no record of images") as caught:
        pushed_image(path, ImageKind.TRAINER)
    assert caught.value.hint.startswith(f"rm {path}")


def test_a_newer_record_is_not_guessed_at(path: Path) -> None:
    path.write_text('{"schema_version": 2, "images": []}')
    with pytest.raises(NewerFormatError):
        pushed_image(path, ImageKind.TRAINER)
