"""Command line of the image builder: `python -m tools.build_images [--push REGISTRY]`."""

import os
import shlex
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from housectl.cli.console import note, print_error
from housectl.errors import ExitStatus, HousectlError
from housectl.external_tools import IMAGE_BUILDERS, find_engine
from housectl.pushed_images import ImageKind, PushedImages, local_image, write_pushed_images
from housectl.workspace import find_workspace, git_commit
from tools.build_images.builder import Builder, find_builder


def main() -> int:
    """Build the images, push them with --push, and return the exit status."""
    options = _parser().parse_args()
    try:
        _build_and_push(options)
    except HousectlError as error:
        print_error(error, as_json=False)
        return error.status
    except KeyboardInterrupt:
        return ExitStatus.INTERRUPTED
    return ExitStatus.OK


def _build_and_push(options: Namespace) -> None:
    record = find_workspace(options.project, None).images if options.push else None
    builder = find_builder(options.builder or [find_engine(IMAGE_BUILDERS)])
    for kind in options.only or ImageKind:
        image = local_image(kind, tag=options.tag)
        builder.build(f"Dockerfile.{kind}", tag=image, labels=_labels())
        note(f"built {image}")
    if record is not None:
        _push(builder, tag=options.tag, registry=options.push, record=record)


def _push(builder: Builder, *, tag: str, registry: str, record: Path) -> None:
    pushed = {
        kind: builder.push(
            local_image(kind, tag=tag), repository=f"{registry}/housectl-{kind}", tag=tag
        )
        for kind in ImageKind
    }
    for reference in pushed.values():
        note(f"pushed {reference}")
    write_pushed_images(
        record,
        PushedImages(
            trainer=pushed[ImageKind.TRAINER],
            server=pushed[ImageKind.SERVER],
            cli=pushed[ImageKind.CLI],
            suggestion=pushed[ImageKind.SUGGESTION],
        ),
    )
    note(f"recorded in {record}; new searches use these images")


def _labels() -> Mapping[str, str]:
    commit = git_commit(Path(__file__).parent)
    return {
        "org.opencontainers.image.version": version("housectl"),
        **({"org.opencontainers.image.revision": commit} if commit else {}),
    }


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="python -m tools.build_images",
        description="Build the images of trainer, server, CLI and suggestion service.",
    )
    parser.add_argument("--tag", default="dev", help="tag of the images")
    parts = parser.add_mutually_exclusive_group()
    parts.add_argument("--push", metavar="REGISTRY", help="push the images to HOST[:PORT][/NAME]")
    parts.add_argument(
        "--only", type=ImageKind, choices=ImageKind, nargs="+", help="build some of the images"
    )
    parser.add_argument(
        "--builder",
        type=shlex.split,
        help="command of the builder (default: docker, podman or buildah)",
    )
    parser.add_argument(
        "--project",
        type=Path,
        default=os.environ.get("HOUSECTL_PROJECT"),
        help="project that records the pushed digests",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
