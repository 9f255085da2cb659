"""`make picture`: runs the demo in a pseudo-terminal and draws what stands there at its end.

Colours and layout are those of the terminal. The run is a real one, in a copy of the project.
"""

import fcntl
import io
import os
import pty
import re
import shutil
import struct
import sys
import termios
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "images" / "demo.svg"
COLUMNS, ROWS = 118, 50
CTRL_C = b"\x03"
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}

_LAST_WORDS = b"Ctrl-C stops the server.\r\n"
_CONTROL = re.compile(r"(\r\n|\r|\x1b\[\d*[AK]|\x1b\[\?25[hl])")


def main() -> None:
    """Run the demo and write the picture."""
    with TemporaryDirectory() as name:
        project = Path(name) / "boston"
        shutil.copytree(ROOT / "data", project / "data")
        shutil.copy(ROOT / "housectl.yaml", project)
        output = terminal_output([sys.executable, "-m", "examples.demo"], project)
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(drawn(screen(output)))


def terminal_output(command: list[str], directory: Path) -> str:
    """Run a command in a terminal and return what it writes; type Ctrl-C when it waits for that."""
    child, terminal = pty.fork()
    if child == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.chdir(directory)
        os.execve(command[0], command, {**os.environ, **ENVIRONMENT})  # noqa: S606
    output = b""
    while chunk := _read(terminal):
        output += chunk
        if output.endswith(_LAST_WORDS):
            os.write(terminal, CTRL_C)
    os.close(terminal)
    if status := os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        sys.exit(f"The demo ended with status {status}.")
    return output.decode()


def screen(output: str) -> str:
    """Return the lines that stand on a terminal after this output, colours included."""
    lines = [""]
    row = 0
    for part in _CONTROL.split(output):
        if part == "\r\n":
            row += 1
            lines += [""] * (row - len(lines) + 1)
        elif part.endswith("A") and part.startswith("\x1b"):
            row -= int(part[2:-1] or 1)
        elif part == "\x1b[2K":
            lines[row] = ""
        elif not _CONTROL.fullmatch(part):
            lines[row] += part
    return "\n".join(lines).strip()


def drawn(text: str) -> str:
    """Return the picture as SVG."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), legacy_windows=False)
    console.print(Text.from_ansi(text), soft_wrap=False)
    return console.export_svg(title="make demo", unique_id="demo")


def _read(terminal: int) -> bytes:
    """Return what comes next; nothing when the last process has left the terminal."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


if __name__ == "__main__":
    main()
