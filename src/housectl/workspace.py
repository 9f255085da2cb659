"""The directories of a project. Imports little, for commands that only read the store."""

import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from housectl.errors import ProjectError, UsageError
from housectl.store.address import ADDRESS_FORMS, StoreAddress

PROJECT_FILE = "housectl.yaml"
_STATE_DIR = ".housectl"


@dataclass(frozen=True)
class Workspace:
    """The directory of a housectl.yaml, and the paths that commands write to."""

    root: Path
    project_file: Path
    store: StoreAddress

    @property
    def backend(self) -> str | None:
        """Name of the backend in the project file, which may be unknown; None for the default.

        Raises:
            ProjectError: The file cannot be read.
        """
        return _configured_text(self.project_file, "backend")

    @property
    def inputs(self) -> Path:
        """Directory with one directory for each inputs digest."""
        return self.root / _STATE_DIR / "inputs"

    @property
    def runs(self) -> Path:
        """Directory with one directory for each experiment and task of the local backend."""
        return self.root / _STATE_DIR / "runs"

    @property
    def cache(self) -> Path:
        """Directory with copies of an object store's files; it can be deleted at any time."""
        return self.root / _STATE_DIR / "cache"

    @property
    def images(self) -> Path:
        """File with the references of the pushed images."""
        return self.root / _STATE_DIR / "images.json"

    @property
    def temp_root(self) -> Path:
        """Directory for temporary downloads of commands."""
        return self.root / _STATE_DIR / "scratch"

    def path_of(self, name: str | Path) -> Path:
        """Return the path of a file that housectl.yaml names, without `..`."""
        path = self.root / name
        return path.parent.resolve() / path.name


def git_commit(root: Path) -> str | None:
    """Return the current commit of a directory's repository; None without a repository."""
    try:
        completed = subprocess.run(
            ["git", "-C", str(root), "rev-parse", "HEAD"],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return None
    return completed.stdout.strip() or None


def find_workspace(project: Path | None, store: str | None) -> Workspace:
    """Find the project file, and the store that it specifies.

    Args:
        project: housectl.yaml or its directory; None searches the current directory and above.
        store: Address that overrides the file's `store:`.

    Raises:
        ProjectError: There is no project file, or its `store:` is invalid.
        UsageError: The address is invalid.
    """
    file = _find_project_file(project)
    address = StoreAddress.parse(store) if store else _configured_store(file)
    if isinstance(address.value, Path):
        address = StoreAddress(_absolute(address.value))
    return Workspace(root=file.parent, project_file=file, store=address)


def _find_project_file(project: Path | None) -> Path:
    start = _absolute(project or Path())
    if project is not None:
        candidates = [start / PROJECT_FILE if start.is_dir() else start]
    else:
        candidates = [directory / PROJECT_FILE for directory in (start, *start.parents)]
    project_file = next((path for path in candidates if path.is_file()), None)
    if project_file is None:
        raise ProjectError(
            f"There is no {PROJECT_FILE} in {start}"
            + (" or its parent directories." if project is None else "."),
            hint="housectl init --data FILE.csv --target COLUMN",
        )
    return project_file


def _absolute(path: Path) -> Path:
    try:
        return path.absolute()
    except FileNotFoundError as error:
        raise ProjectError(
            "The current directory was deleted.", hint="cd ~   # then run the same command again"
        ) from error


def _configured_store(file: Path) -> StoreAddress:
    """Return the address of the store; a relative path is relative to the file."""
    text = _configured_text(file, "store") or f"{_STATE_DIR}/store"
    try:
        address = StoreAddress.parse(text)
    except UsageError as error:
        raise ProjectError(
            f"The value of store in {file} is invalid: {error.message}",
            hint=f"${{EDITOR:-vi}} {shlex.quote(str(file))}   # {ADDRESS_FORMS}",
        ) from error
    if isinstance(address.value, Path):
        return StoreAddress(file.parent / address.value)
    return address


def _configured_text(file: Path, key: str) -> str | None:
    """Return the text of a field; `load_config` reports other problems of the file."""
    import yaml

    from housectl.yaml_nodes import compose_yaml, top_level_text

    try:
        root = compose_yaml(file)
    except yaml.YAMLError:
        root = None
    except OSError as error:
        raise ProjectError(
            f"Cannot read {file}: {error.strerror}.", hint=f"ls -l {shlex.quote(str(file))}"
        ) from error
    return top_level_text(root, key)
