"""Record a real run of the demo as an SVG picture: `make demo-svg`.

The demo runs in a copy of the project, on a pseudo-terminal. The picture shows its final screen,
with an ellipsis in place of similar checks.
"""

import fcntl
import io
import os
import pty
import re
import struct
import sys
import termios
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.text import Text

from tools.project_directory import ROOT, copy_boston

PICTURE = ROOT / "docs" / "images" / "demo.svg"
COLUMNS, ROWS = 118, 50
CTRL_C = b"\x03"
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}

_FINAL_LINE = b"Ctrl-C stops the server.\r\n"
_CONTROL = re.compile(r"(\r\n|\r|\x1b\[\d*[AK]|\x1b\[\?25[hl])")


def main() -> None:
    """Run the demo and write the picture."""
    with TemporaryDirectory() as name:
        project = copy_boston(Path(name) / "boston").path
        output = run_in_terminal([sys.executable, "-m", "examples.demo"], project)
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(render_svg(abridge(final_screen(output))))


def run_in_terminal(command: list[str], directory: Path) -> str:
    """Run a command in a terminal and return its output; send Ctrl-C after its final line."""
    process_id, terminal = pty.fork()
    if process_id == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.chdir(directory)
        os.execve(command[0], command, {**os.environ, **ENVIRONMENT})  # noqa: S606
    output = b""
    while chunk := _read(terminal):
        output += chunk
        if output.endswith(_FINAL_LINE):
            os.write(terminal, CTRL_C)
    os.close(terminal)
    if status := os.waitstatus_to_exitcode(os.waitpid(process_id, 0)[1]):
        sys.exit(f"The demo failed with status {status}.")
    return output.decode()


def final_screen(output: str) -> str:
    """Return the lines on a terminal after this output, with their colours."""
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


def abridge(screen: str) -> str:
    """Return the screen with the first rejection of bad input only, so that it is one page high."""
    lines: list[str] = []
    for is_rejection, group in groupby(screen.split("\n"), key=_is_rejection):
        similar_lines = [*group]
        lines += [similar_lines[0], "…"] if is_rejection else similar_lines
    return "\n".join(lines)


def _is_rejection(line: str) -> bool:
    """Return True for a check that the server rejects bad input, and for its continuation lines."""
    return re.match(r"rejects |\s{20}", Text.from_ansi(line).plain) is not None


def render_svg(text: str) -> str:
    """Return the picture as SVG."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), legacy_windows=False)
    console.print(Text.from_ansi(text), soft_wrap=False)
    return console.export_svg(title="make demo", unique_id="demo")


def _read(terminal: int) -> bytes:
    """Return the next output; nothing after the last process has closed the terminal."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


if __name__ == "__main__":
    main()
