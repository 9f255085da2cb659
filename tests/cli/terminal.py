"""Commands on a pseudo-terminal."""

import os
import pty
import sys

from tools.project_directory import ProjectDirectory, clean_environment


def run_on_terminal(project: ProjectDirectory, *arguments: str) -> str:
    """Run a command of housectl that has to succeed; return the output that the terminal shows."""
    shown = bytearray()

    def read(descriptor: int) -> bytes:
        data = os.read(descriptor, 65536)
        shown.extend(data)
        return data

    environment = clean_environment() | {"TERM": "xterm", "COLUMNS": "150"}
    code = (
        f"import os; os.chdir({str(project.path)!r}); "
        f"os.execve({str(project.housectl)!r}, {['housectl', *arguments]!r}, {environment!r})"
    )
    status = pty.spawn([sys.executable, "-c", code], read)
    text = shown.decode(errors="replace")
    assert os.waitstatus_to_exitcode(status) == 0, text
    return text
