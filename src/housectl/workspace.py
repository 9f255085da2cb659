"""Where a project's files lie. Light: commands that only read the store need nothing else."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from housectl.errors import ProjectError

PROJECT_FILE = "housectl.yaml"
_STATE_DIR = ".housectl"


@dataclass(frozen=True)
class Workspace:
    """The directory of a housectl.yaml, and the places that commands write to."""

    root: Path
    project_file: Path
    store: Path

    @property
    def inputs(self) -> Path:
        """Holds a directory for each inputs digest."""
        return self.root / _STATE_DIR / "inputs"

    @property
    def runs(self) -> Path:
        """Holds a directory for each experiment and task of the local backend."""
        return self.root / _STATE_DIR / "runs"

    @property
    def images(self) -> Path:
        """Records the images that were pushed."""
        return self.root / _STATE_DIR / "images.json"

    @property
    def temp_root(self) -> Path:
        """Holds what commands fetch, for as long as they need it."""
        return self.root / _STATE_DIR / "scratch"


def git_commit(root: Path) -> str | None:
    """Return the commit that a directory's repository is at; None without a repository."""
    try:
        answer = subprocess.run(
            ["git", "-C", str(root), "rev-parse", "HEAD"],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return None
    return answer.stdout.strip() or None


def find_workspace(project: Path | None, store: Path | None) -> Workspace:
    """Find the project file, and the store that it names.

    Args:
        project: housectl.yaml or its directory; None looks here and in the directories above.
        store: Overrides the file's `store:`.

    Raises:
        ProjectError: There is no such file.
    """
    file = _find_file(project)
    root = file.parent
    return Workspace(root=root, project_file=file, store=(store or _store_setting(file)).absolute())


def _find_file(project: Path | None) -> Path:
    here = Path.cwd() if project is None else project.absolute()
    if project is not None:
        candidates = [here / PROJECT_FILE if here.is_dir() else here]
    else:
        candidates = [directory / PROJECT_FILE for directory in (here, *here.parents)]
    found = next((path for path in candidates if path.is_file()), None)
    if found is None:
        raise ProjectError(
            f"There is no {PROJECT_FILE} in {here}" + (" or above." if project is None else "."),
            hint="housectl init --data FILE.csv --target COLUMN",
        )
    return found


def _store_setting(file: Path) -> Path:
    """Return the store's place; what else is wrong in the file is told by whoever reads it all."""
    import yaml

    default = file.parent / _STATE_DIR / "store"
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        content = yaml.load(file.read_bytes(), Loader=loader)  # noqa: S506
    except (yaml.YAMLError, ValueError):  # a ValueError comes of 2026-02-30
        return default
    except OSError as error:
        raise ProjectError(
            f"Cannot read {file}: {error.strerror}.", hint=f"ls -l {file}"
        ) from error
    named = content.get("store") if isinstance(content, dict) else None
    return file.parent / named if isinstance(named, str) else default
