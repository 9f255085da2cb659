"""The trainer as a pod runs it: with an end to its time, watched, and allowed to write little."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from housectl.contract.families import Family
from housectl.contract.files import temp_path_for
from housectl.contract.inputs import Inputs
from housectl.contract.metrics import METRICS_FILE, Metrics, read_metric_line
from housectl.contract.termination_report import TerminationReport
from housectl.errors import ExitStatus
from housectl_trainer.peak_memory import peak_memory

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
TRAINER = [sys.executable, "-B", "-m", "housectl_trainer"]
PATIENCE = 60.0
KILLED, TERMINATED, TIMED_OUT = 137, 143, 124
QUICK = ("--family", "xgboost", "n_estimators=3")
ENDLESS = ("--family", "random-forest", "n_estimators=10000000")

# Who reads everything and can write nothing, as a container on a read-only file system.
NOBODY = [
    *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
    *("--inh-caps=-all,+dac_read_search", "--ambient-caps=+dac_read_search"),
]


@dataclass(frozen=True)
class Pod:
    """A trainer in a process of its own, and the pipe that all of its processes hold."""

    process: subprocess.Popen[str]
    held: int

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def others(self, count: int = 1) -> list[int]:
        """Wait for so many descendants, and return them, the worker first."""
        wait_until(lambda: len(descendants(self.process.pid)) >= count)
        return descendants(self.process.pid)

    def end(self) -> tuple[int, list[str]]:
        """Wait for the end of all processes; return the exit status and the lines of stderr."""
        _, err = self.process.communicate(timeout=PATIENCE)
        assert select.select([self.held], [], [], PATIENCE)[0], "a process survived"
        assert os.read(self.held, 1) == b""
        return self.process.returncode, err.splitlines()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


def descendants(process: int) -> list[int]:
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], check=True, capture_output=True, text=True
    ).stdout
    pairs = [tuple(map(int, line.split())) for line in listed.splitlines()]
    found = [process]
    for one in found:
        found += [pid for pid, parent in pairs if parent == one]
    return found[1:]


StartPod = Callable[..., Pod]


@pytest.fixture
def start(boston: Inputs, tmp_path: Path) -> Iterator[StartPod]:
    """Return a function that starts a command of the trainer."""
    with ExitStack() as stack:

        def start(command: str, *arguments: str | Path) -> Pod:
            given = ("--inputs", boston.path, "--output", tmp_path / "output", *arguments)
            held, holding = os.pipe()
            stack.callback(os.close, held)
            process = subprocess.Popen(
                [*TRAINER, command, *given],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                pass_fds=[holding],
                cwd=ROOT,
            )
            os.close(holding)
            stack.enter_context(process)
            stack.callback(process.kill)
            return Pod(process, held)

        yield start


def last_words(path: Path) -> TerminationReport:
    return TerminationReport.from_json(path.read_bytes())


def test_a_trial_outlives_its_metric_line_and_leaves_at_once_when_told_to(start: StartPod) -> None:
    pod = start("trial", "--min-runtime", "3600", *QUICK)
    assert read_metric_line(pod.line()) is not None
    with pytest.raises(subprocess.TimeoutExpired):
        pod.process.wait(1)
    pod.process.terminate()
    status, err = pod.end()
    assert (status, err) == (TERMINATED, [])


def test_a_trial_that_fails_outlives_its_error_too(start: StartPod) -> None:
    pod = start("trial", "--min-runtime", "3600", *QUICK, "max_depth=-1")
    assert pod.process.stderr is not None
    assert pod.process.stderr.readline().startswith("hint: ")
    assert pod.process.stderr.readline().startswith("error: The parameter max_depth of xgboost")
    with pytest.raises(subprocess.TimeoutExpired):
        pod.process.wait(1)


def test_the_metric_line_is_printed_once_and_the_status_is_the_works(start: StartPod) -> None:
    pod = start("trial", "--min-runtime", "0.1", "--deadline", "600", *QUICK)
    assert read_metric_line(pod.line()) is not None
    assert pod.line() == ""
    assert pod.end() == (ExitStatus.OK, [])


def test_a_command_without_terms_starts_no_process_to_watch(start: StartPod) -> None:
    pod = start("trial", *ENDLESS)
    libraries = Path(f"/proc/{pod.process.pid}/maps")
    wait_until(lambda: "sklearn" in libraries.read_text())
    assert descendants(pod.process.pid) == []
    pod.process.terminate()
    assert pod.end()[0] == -signal.SIGTERM


@pytest.mark.parametrize("command", ["trial", "seal"])
def test_at_the_deadline_all_processes_end_and_nothing_is_left(
    start: StartPod, tmp_path: Path, command: str
) -> None:
    words = tmp_path / "words"
    pod = start(command, "--deadline", "9", "--termination-report", words, *ENDLESS)
    pod.others(1 if command == "trial" else 2)
    status, err = pod.end()
    assert status == TIMED_OUT
    assert err[-1] == "error: timed out after 9 s"
    assert last_words(words).error == "timed out after 9 s"
    assert list(tmp_path.iterdir()) == [words]


def test_the_deadline_does_not_need_the_interpreters_lock(tmp_path: Path) -> None:
    words = tmp_path / "words"
    program = f"""
import sys
from pathlib import Path
from housectl_trainer.supervised_run import Terms, in_a_pod
def work():
    sys.setswitchinterval(1e6)
    while True:
        pass
sys.exit(in_a_pod(work, Terms(deadline=1, last_words=[Path({str(words)!r})])))
"""
    done = run_program(program)
    assert (done.returncode, done.stderr) == (TIMED_OUT, "error: timed out after 1 s\n")
    assert last_words(words).error == "timed out after 1 s"


def run_program(text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-B", "-c", text], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_last_words_survive_a_kill_and_no_process_does(start: StartPod, tmp_path: Path) -> None:
    files = tmp_path / "termination-log", tmp_path / "made" / "words.json"
    given = [part for file in files for part in ("--termination-report", file)]
    pod = start("seal", *given, *ENDLESS)
    pod.others(2)
    wait_until(lambda: all(last_words(file).peak for file in files))
    pod.process.kill()
    assert pod.end()[0] == -signal.SIGKILL
    for file in files:
        words = last_words(file)
        assert words.peak is not None
        assert words.peak > 10_000_000
        assert words.error is None


def test_the_file_of_last_words_stays_the_same_file(start: StartPod, tmp_path: Path) -> None:
    words = tmp_path / "words"
    words.write_text("what a run before said, which was much longer" * 99)
    number = words.stat().st_ino
    assert start("trial", "--termination-report", words, *QUICK).end() == (ExitStatus.OK, [])
    assert last_words(words).error is None
    assert words.stat().st_ino == number


def test_the_last_words_of_a_failure_are_its_last_line(start: StartPod, tmp_path: Path) -> None:
    words = tmp_path / "words"
    status, err = start("trial", "--termination-report", words, *QUICK, "max_depth=-1").end()
    assert status == ExitStatus.USAGE
    assert [line.partition(":")[0] for line in err] == ["hint", "error"]
    assert err[-1] == f"error: {last_words(words).error}"


def test_a_bug_shows_its_traceback_and_one_line_at_the_end(tmp_path: Path) -> None:
    words = tmp_path / "words"
    program = f"""
import sys
from pathlib import Path
from housectl_trainer.supervised_run import Terms, in_a_pod
sys.exit(in_a_pod(lambda: 1 / 0, Terms(last_words=[Path({str(words)!r})])))
"""
    done = run_program(program)
    assert done.returncode == ExitStatus.BUG
    assert "Traceback" in done.stderr
    assert done.stderr.splitlines()[-1] == "error: ZeroDivisionError: division by zero"
    assert last_words(words).error == "ZeroDivisionError: division by zero"


@pytest.mark.parametrize("command", ["trial", "seal"])
def test_a_worker_that_the_kernel_kills_ran_out_of_memory(
    start: StartPod, tmp_path: Path, command: str
) -> None:
    words = tmp_path / "words"
    pod = start(command, "--termination-report", words, *ENDLESS)
    worker, *_ = pod.others(1 if command == "trial" else 2)
    os.kill(worker, signal.SIGKILL)
    status, err = pod.end()
    assert (status, err[-1]) == (KILLED, "error: out of memory")
    assert last_words(words).error == "out of memory"


@pytest.mark.parametrize("terms", [(), ("--min-runtime", "0.1")])
def test_a_fold_that_the_kernel_kills_ran_out_of_memory(
    start: StartPod, terms: tuple[str, ...]
) -> None:
    pod = start("seal", *terms, *ENDLESS)
    folds = pod.others(3 if terms else 2)
    os.kill(folds[-1], signal.SIGKILL)
    status, err = pod.end()
    assert (status, err[-1]) == (KILLED, "error: out of memory")


def test_last_words_that_cannot_be_written_stop_no_training(
    start: StartPod, tmp_path: Path
) -> None:
    status, err = start("trial", "--termination-report", tmp_path, *QUICK).end()
    assert status == ExitStatus.OK
    assert err == [f"no last words: [Errno 21] Is a directory: '{tmp_path}'"]


def test_what_an_attempt_before_left_is_removed(start: StartPod, tmp_path: Path) -> None:
    temp_path_for(tmp_path / "output").mkdir()
    of_another = temp_path_for(tmp_path / "another")
    of_another.mkdir()
    assert start("trial", *QUICK).end()[0] == ExitStatus.OK
    assert sorted(tmp_path.iterdir()) == [of_another, tmp_path / "output"]


@pytest.mark.parametrize("command", ["trial", "seal"])
def test_only_the_outputs_parent_and_the_last_words_are_written(
    boston: Inputs, tmp_path: Path, command: str
) -> None:
    place, volume, words = tmp_path / "place", tmp_path / "volume", tmp_path / "words"
    place.mkdir(mode=0o555)
    volume.mkdir()
    words.touch(mode=0o666)
    volume.chmod(0o777)
    words.chmod(0o666)
    given = (
        "--inputs",
        boston.path,
        "--output",
        volume / "e" / "output",
        "--termination-report",
        words,
    )
    done = subprocess.run(
        [*without_rights(), *TRAINER, command, *given, *QUICK],
        cwd=place,
        env={**os.environ, "HOME": str(place), "TMPDIR": str(place), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.count("Error")) == (ExitStatus.OK, 0), done.stderr
    assert last_words(words).error is None
    assert [path.name for path in (volume / "e").iterdir()] == ["output"]
    assert list(place.iterdir()) == []


def without_rights() -> list[str]:
    """Return what a program must be started by so that it can write nothing that is root's."""
    return NOBODY if os.getuid() == 0 else []


@pytest.mark.parametrize("family", Family)
def test_the_number_of_cores_changes_neither_objective_nor_model(
    boston: Inputs, tmp_path: Path, family: Family
) -> None:
    for cores in ("1", "2"):
        given = ("--inputs", boston.path, "--output", tmp_path / cores, "--family", family)
        subprocess.run(
            [*TRAINER, "trial", *given, "n_estimators=40", "max_depth=6"],
            check=True,
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": cores},
        )
    one, two = (
        {path.name: path.read_bytes() for path in (tmp_path / cores).iterdir()}
        for cores in ("1", "2")
    )
    assert one == two
    assert family.definition.native_file in one
    assert Metrics.from_json(one[METRICS_FILE]).mse > 0


@pytest.mark.parametrize(
    "file", ["memory.peak", "memory/memory.max_usage_in_bytes", "memory.current"]
)
def test_the_peak_is_what_the_control_group_tells(tmp_path: Path, file: str) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text("1234567\n")
    assert peak_memory(os.getpid(), cgroup=tmp_path) == 1234567


def test_without_control_groups_the_process_itself_is_measured(tmp_path: Path) -> None:
    before = peak_memory(os.getpid(), cgroup=tmp_path)
    assert before is not None
    held = b"x" * before
    after = peak_memory(os.getpid(), cgroup=tmp_path)
    assert len(held) == before
    assert after is not None
    assert after > before


@pytest.mark.parametrize("text", ["x", "\x1b", "ü", "😀"])
def test_the_longest_words_fit_where_kubernetes_keeps_them(tmp_path: Path, text: str) -> None:
    path = tmp_path / "words"
    TerminationReport(peak=2**62, error=text * 5000).rewrite(path)
    assert path.stat().st_size <= 4096
    words = TerminationReport.from_json(path.read_bytes())
    assert words.error is not None
    assert set(words.error) == {text}
    assert len(words.error) >= 500
