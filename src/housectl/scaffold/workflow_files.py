"""Workflows of GitHub Actions for a project, and the scripts that reach its server's host."""

import re
import shlex
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from housectl.contract.files import atomic_create
from housectl.errors import UsageError
from housectl.packaged_files import packaged_path

_TEMPLATES = Path(__file__).with_name("workflows")
_SCRIPTS = ("remote.sh", "rollout.sh", "housectl-server.service")

# Paths with other characters would need quotes, in YAML and in the shell.
_PLAIN_PATH = re.compile(r"[\w./-]+")
_SPECIAL_IN_FILTER = re.compile(r"[^\w./ -]")


@dataclass(frozen=True, kw_only=True)
class NewFile:
    """A file to write."""

    path: Path
    text: str
    executable: bool = False


def draft_workflows(project_file: Path, *, data: Path) -> tuple[NewFile, ...]:
    """Return the workflows of a project, and the scripts of its host, without writing them.

    Args:
        project_file: The project's housectl.yaml, which may be absent.
        data: The project's data file.

    Raises:
        UsageError: The project or its data is outside of a Git repository, its directory has a
            special character in its name, or one of the files exists already.
    """
    root = project_file.parent.resolve()
    repository = _find_repository(root)
    directory = root.relative_to(repository).as_posix()
    if not _PLAIN_PATH.fullmatch(directory):
        raise UsageError(
            f"The project's directory {directory} has a special character in its name.",
            hint=f"mv {shlex.quote(str(root))} NAME   # letters, digits and -_./ only",
        )
    values = {
        "PROJECT_DIRECTORY": directory,
        "PROJECT_FILE": _filter(root / project_file.name, repository),
        "DATA_FILE": _filter(data.resolve(), repository),
        "DEPLOY_DETAILS": _filter(root / "deploy_details.json", repository),
        "HOUSECTL_VERSION": version("housectl"),
    }
    files = (*_workflows(repository, values), *_scripts(root))
    _check_absent(files)
    return files


def write_workflows(files: tuple[NewFile, ...]) -> None:
    """Write files that `draft_workflows` returned.

    Raises:
        UsageError: One of them exists already.
        LocalEnvironmentError: The disk is full, read-only or not writable.
    """
    for file in files:
        file.path.parent.mkdir(parents=True, exist_ok=True)
        if not atomic_create(file.path, file.text.encode()):
            raise _exists_error([file.path])
        if file.executable:
            file.path.chmod(0o755)


def _workflows(repository: Path, values: dict[str, str]) -> tuple[NewFile, ...]:
    target = repository / ".github" / "workflows"
    return tuple(
        NewFile(path=target / template.name, text=_filled(template.read_text(), values))
        for template in sorted(_TEMPLATES.glob("*.yaml"))
    )


def _scripts(root: Path) -> tuple[NewFile, ...]:
    return tuple(
        NewFile(
            path=root / "deploy" / name,
            text=packaged_path(f"deploy/{name}").read_text(),
            executable=name.endswith(".sh"),
        )
        for name in _SCRIPTS
    )


def _filled(template: str, values: dict[str, str]) -> str:
    return re.sub(rf"\b({'|'.join(values)})\b", lambda match: values[match[0]], template)


def _filter(path: Path, repository: Path) -> str:
    """Return a path filter of GitHub; `*` replaces characters that have a meaning there."""
    if not path.is_relative_to(repository):
        raise UsageError(
            f"{path} is outside of the Git repository {repository}.",
            hint=shlex.join(("cp", str(path), str(repository))),
        )
    return _SPECIAL_IN_FILTER.sub("*", path.relative_to(repository).as_posix())


def _find_repository(root: Path) -> Path:
    for directory in (root, *root.parents):
        if (directory / ".git").exists():
            return directory
    raise UsageError(
        f"{root} is in no Git repository, so it has no workflows.",
        hint=shlex.join(("git", "init", str(root))),
    )


def _check_absent(files: tuple[NewFile, ...]) -> None:
    if existing := [file.path for file in files if file.path.exists()]:
        raise _exists_error(existing)


def _exists_error(paths: list[Path]) -> UsageError:
    moves = " && ".join(shlex.join(("mv", str(path), f"{path}.old")) for path in paths)
    return UsageError(
        f"{', '.join(map(str, paths))} already {'exist' if paths[1:] else 'exists'}.",
        hint=f"{moves}   # then run init again",
    )
