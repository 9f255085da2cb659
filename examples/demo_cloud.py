"""Demo of a store in S3: one command from tune to verify, while two servers follow.

Everything runs on this machine: an S3 server, the commands, and the servers of the models.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

import housectl
from examples.demo import HOUSECTL, START_SECONDS, print_now, run_housectl
from tools.project_directory import example
from tools.s3_server import s3_server
from tools.server_process import free_port

# Small forests, for a quick demo. Every model of the second space beats those of the first.
POOR_SPACE = {"min_samples_leaf": {"min": 12, "max": 16}, "n_estimators": 10}
GOOD_SPACE = {"max_features": {"min": 0.3, "max": 0.6}, "n_estimators": 20}


def main() -> None:
    """Run all steps.

    Raises:
        SystemExit: A step failed, with its exit status.
    """
    with TemporaryDirectory(prefix="housectl-demo-") as name, ExitStack() as processes:
        directory = Path(name)
        s3 = processes.enter_context(s3_server(directory / "s3"))
        os.environ.update(s3.environment, HOUSECTL_STORE=f"s3://{s3.new_bucket()}/boston")
        print_now(f"An S3 server listens on {s3.url}.")
        print_now(f"HOUSECTL_STORE={os.environ['HOUSECTL_STORE']}")
        ports = [free_port() for _ in range(2)]
        project = example(
            ".",
            directory / "boston",
            space=POOR_SPACE,
            budget={"trials": 3},
            serve={"port": ports[0]},
            verify={"p99_ms": 1000},
        )
        os.chdir(project.path)
        urls = [processes.enter_context(serve(port)) for port in ports]
        show("The first run finds a champion in a poor search space.", urls, "run")
        project.edit_config(space=GOOD_SPACE)
        show("After a change of the space, a run finds a better champion.", urls, "run")
        show("The next run has nothing to do.", urls, "run")
        show("A rollback leads back to the first champion.", urls, "rollback")


def show(title: str, urls: Sequence[str], *command: str) -> None:
    """Run a command; wait until each server serves the champion, and print both.

    Raises:
        SystemExit: The command failed.
    """
    print_now(f"\n# {title}")
    if status := run_housectl(*command):
        sys.exit(status)
    for url in urls:
        project = housectl.open(settings={"verify.url": url}, store=os.environ["HOUSECTL_STORE"])
        project.wait_until_serving(timeout=START_SECONDS)
        health = httpx.get(f"{url}/health", trust_env=False).json()
        print_now(f"{url} serves champion {health['champion']}, {health['model_digest'][:12]}.")


@contextmanager
def serve(port: int) -> Iterator[str]:
    """Serve the champion during the block; yield the URL."""
    with Path(f"server-{port}.log").open("w") as log:
        server = subprocess.Popen([HOUSECTL, "serve", "--port", str(port)], stderr=log)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()


if __name__ == "__main__":
    main()
