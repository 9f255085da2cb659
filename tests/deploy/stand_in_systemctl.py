"""A program with systemctl's options that runs the service of a unit file in its directory."""

import shlex
import subprocess
import sys
from pathlib import Path

DIRECTORY = Path(sys.argv[0]).parent


def main() -> int:
    task, name = sys.argv[1:]
    unit = DIRECTORY / name
    if not unit.exists():
        return 1
    if task == "restart":
        _restart(unit.read_text())
    return 0


def _restart(unit: str) -> None:
    lines = unit.replace("\\\n", " ").splitlines()
    values = dict(line.split("=", 1) for line in lines if "=" in line and line[0] != "#")
    image = Path(values["EnvironmentFile"]).read_text().strip().removeprefix("IMAGE=")
    subprocess.run(shlex.split(values["ExecStartPre"].removeprefix("-")), check=False)
    subprocess.Popen(
        shlex.split(values["ExecStart"].replace("${IMAGE}", image)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


if __name__ == "__main__":
    sys.exit(main())
