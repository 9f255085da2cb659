"""Record of pushed images, and errors for an invalid one."""

from pathlib import Path

import pytest

from housectl.errors import LocalEnvironmentError, NewerFormatError
from housectl.pushed_images import ImageKind, PushedImages, pushed_image, write_pushed_images

PUSHED = PushedImages(
    trainer="registry.example/t@sha256:1",
    server="registry.example/s@sha256:2",
    cli="registry.example/c@sha256:3",
    suggestion="registry.example/s@sha256:4",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "images.json"


def test_pushed_images_are_read_back(path: Path) -> None:
    write_pushed_images(path, PUSHED)
    assert pushed_image(path, ImageKind.TRAINER) == PUSHED.trainer
    assert pushed_image(path, ImageKind.SERVER) == PUSHED.server
    assert pushed_image(path, ImageKind.CLI) == PUSHED.cli
    assert pushed_image(path, ImageKind.SUGGESTION) == PUSHED.suggestion


def test_record_from_before_the_cli_image_is_read(path: Path) -> None:
    path.write_text('{"schema_version": 1, "trainer": "t@sha256:1", "server": "s@sha256:2"}')
    assert pushed_image(path, ImageKind.SERVER) == "s@sha256:2"
    assert pushed_image(path, ImageKind.CLI) is None
    assert pushed_image(path, ImageKind.SUGGESTION) is None


def test_missing_record_means_no_pushed_image(path: Path) -> None:
    assert pushed_image(path, ImageKind.TRAINER) is None


def test_truncated_record_is_invalid(path: Path) -> None:
    path.write_bytes(PUSHED.to_json()[:-20])
    with pytest.raises(LocalEnvironmentError, match="is malformed") as caught:
        pushed_image(path, ImageKind.TRAINER)
    assert str(path) in caught.value.message
    assert caught.value.hint.startswith(f"rm {path}")


def test_newer_record_format_is_rejected(path: Path) -> None:
    path.write_text('{"schema_version": 2, "images": []}')
    with pytest.raises(NewerFormatError):
        pushed_image(path, ImageKind.TRAINER)
