"""A program with docker's options whose containers are processes of the real server.

It runs the images that the file `images` in its directory lists: `sha256:…` a server, and
`sha256:… broken` a server without a store.
"""

import os
import signal
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from contextlib import suppress
from pathlib import Path

DIRECTORY = Path(sys.argv[0]).parent


def main() -> int:
    options = _parser().parse_args()
    run = {"pull": _pull, "rm": _remove, "stop": _remove, "logs": _logs, "run": _run}
    return run[options.task](options)


def _parser() -> ArgumentParser:
    parser = ArgumentParser()
    tasks = parser.add_subparsers(dest="task", required=True)
    tasks.add_parser("pull").add_argument("--quiet", action="store_true")
    tasks.add_parser("rm").add_argument("--force", action="store_true")
    tasks.add_parser("stop").add_argument("--time")
    tasks.add_parser("logs").add_argument("--tail")
    run = tasks.add_parser("run")
    for flag in ("--detach", "--rm", "--read-only"):
        run.add_argument(flag, action="store_true")
    for option in ("--name", "--env-file", "--publish"):
        run.add_argument(option, required=True)
    for option in ("--restart", "--tmpfs", "--cap-drop", "--security-opt"):
        run.add_argument(option)
    for task in tasks.choices.values():
        task.add_argument("subject")
    return parser


def _images() -> dict[str, str]:
    lines = (DIRECTORY / "images").read_text().splitlines()
    return {digest: kind for digest, _, kind in (line.partition(" ") for line in lines)}


def _pull(options: Namespace) -> int:
    _, _, digest = options.subject.partition("@")
    return 0 if digest in _images() else 1


def _remove(options: Namespace) -> int:
    record = DIRECTORY / f"{options.subject}.pid"
    if not record.exists():
        return 1
    process = int(record.read_text())
    record.unlink()
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)
    return 0


def _logs(options: Namespace) -> int:
    print((DIRECTORY / f"{options.subject}.log").read_text())
    return 0


def _run(options: Namespace) -> int:
    _, _, digest = options.subject.partition("@")
    host, port, _ = options.publish.split(":")
    lines = Path(options.env_file).read_text().splitlines()
    environment = dict(line.split("=", 1) for line in lines)
    if _images()[digest] == "broken":
        environment["HOUSECTL_STORE"] = str(DIRECTORY / "no store")
    argv = (sys.executable, "-P", "-m", "housectl_server", "--host", host, "--port", port)
    with (DIRECTORY / f"{options.name}.log").open("wb") as log:
        server = subprocess.Popen(
            argv,
            env={"PATH": os.environ["PATH"], **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    (DIRECTORY / f"{options.name}.pid").write_text(str(server.pid))
    return 0 if options.detach else server.wait()


if __name__ == "__main__":
    sys.exit(main())
