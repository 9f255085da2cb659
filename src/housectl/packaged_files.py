"""Files of the repository that an installed wheel needs, too."""

from pathlib import Path


def packaged_path(name: str) -> Path:
    """Return the path of a file or directory; a wheel has it inside of the package."""
    package = Path(__file__).resolve().parent
    packaged = package / name
    return packaged if packaged.exists() else package.parents[1] / name
