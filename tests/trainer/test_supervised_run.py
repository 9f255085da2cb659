"""The trainer under supervision, as a pod runs it: deadline, reports and few permissions."""

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
from housectl.contract.inputs import Inputs
from housectl.contract.metrics import METRICS_FILE, Metrics, read_metric_line
from housectl.contract.temp_files import temp_path_for
from housectl.contract.termination_report import TerminationReport
from housectl.errors import ExitStatus
from housectl_trainer.peak_memory import peak_memory
from tests.trainer.small_assignments import SMALL_ASSIGNMENTS, arguments_of

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
TRAINER = [sys.executable, "-B", "-m", "housectl_trainer"]
TIMEOUT_SECONDS = 60.0
KILLED, TERMINATED, TIMED_OUT = 137, 143, 124
QUICK = ("--family", "xgboost", "n_estimators=3")
ENDLESS = ("--family", "random-forest", "n_estimators=10000000")

# Permission to read everything and write nothing, as in a container with a read-only file system.
NOBODY = [
    *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
    *("--inh-caps=-all,+dac_read_search", "--ambient-caps=+dac_read_search"),
]


@dataclass(frozen=True)
class Pod:
    """A trainer in a process of its own, and a pipe that all its processes keep open."""

    process: subprocess.Popen[str]
    held: int

    def read_line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def wait_for_descendants(self, count: int = 1) -> list[int]:
        """Wait for a number of descendants, and return all of them, the worker first."""
        wait_until(lambda: len(descendants(self.process.pid)) >= count)
        return descendants(self.process.pid)

    def end(self) -> tuple[int, list[str]]:
        """Wait for the end of all processes; return the exit status and the lines of stderr."""
        _, err = self.process.communicate(timeout=TIMEOUT_SECONDS)
        assert select.select([self.held], [], [], TIMEOUT_SECONDS)[0], "a process survived"
        assert os.read(self.held, 1) == b""
        return self.process.returncode, err.splitlines()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the condition did not become true"
        time.sleep(0.02)


def descendants(process: int) -> list[int]:
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], check=True, capture_output=True, text=True
    ).stdout
    pairs = [tuple(map(int, line.split())) for line in listed.splitlines()]
    family = [process]
    for member in family:
        family += [pid for pid, parent in pairs if parent == member]
    return family[1:]


StartPod = Callable[..., Pod]


@pytest.fixture
def start(boston: Inputs, tmp_path: Path) -> Iterator[StartPod]:
    """Return a function that starts a command of the trainer."""
    with ExitStack() as stack:

        def start(command: str, *arguments: str | Path) -> Pod:
            options = ("--inputs", boston.path, "--output", tmp_path / "output", *arguments)
            held, holding = os.pipe()
            stack.callback(os.close, held)
            process = subprocess.Popen(
                [*TRAINER, command, *options],
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


def read_report(path: Path) -> TerminationReport:
    return TerminationReport.from_json(path.read_bytes())


def test_trial_runs_on_after_its_metric_line_and_ends_on_sigterm(start: StartPod) -> None:
    pod = start("trial", "--min-runtime", "3600", *QUICK)
    assert read_metric_line(pod.read_line()) is not None
    with pytest.raises(subprocess.TimeoutExpired):
        pod.process.wait(1)
    pod.process.terminate()
    status, err = pod.end()
    assert (status, err) == (TERMINATED, [])


def test_failed_trial_runs_on_after_its_error(start: StartPod) -> None:
    pod = start("trial", "--min-runtime", "3600", *QUICK, "max_depth=-1")
    assert pod.process.stderr is not None
    assert pod.process.stderr.readline().startswith("hint: ")
    assert pod.process.stderr.readline().startswith("error: The parameter max_depth of xgboost")
    with pytest.raises(subprocess.TimeoutExpired):
        pod.process.wait(1)


def test_supervised_trial_prints_its_metric_line_once(start: StartPod) -> None:
    pod = start("trial", "--min-runtime", "0.1", "--deadline", "600", *QUICK)
    assert read_metric_line(pod.read_line()) is not None
    assert pod.read_line() == ""
    assert pod.end() == (ExitStatus.OK, [])


def test_command_without_supervision_options_starts_no_other_process(start: StartPod) -> None:
    pod = start("trial", *ENDLESS)
    libraries = Path(f"/proc/{pod.process.pid}/maps")
    wait_until(lambda: "sklearn" in libraries.read_text())
    assert descendants(pod.process.pid) == []
    pod.process.terminate()
    assert pod.end()[0] == -signal.SIGTERM


@pytest.mark.parametrize("command", ["trial", "seal"])
def test_deadline_ends_all_processes_and_leaves_no_output(
    start: StartPod, tmp_path: Path, command: str
) -> None:
    report = tmp_path / "report"
    pod = start(command, "--deadline", "9", "--termination-report", report, *ENDLESS)
    pod.wait_for_descendants(1 if command == "trial" else 2)
    status, err = pod.end()
    assert status == TIMED_OUT
    assert err[-1] == "error: timed out after 9 s"
    assert read_report(report).error == "timed out after 9 s"
    assert list(tmp_path.iterdir()) == [report]


def test_deadline_does_not_need_the_interpreters_lock(tmp_path: Path) -> None:
    report = tmp_path / "report"
    program = f"""
import sys
from pathlib import Path
from housectl_trainer.supervised_run import SupervisionOptions, run_supervised
def work():
    sys.setswitchinterval(1e6)
    while True:
        pass
options = SupervisionOptions(deadline=1, termination_report=[Path({str(report)!r})])
sys.exit(run_supervised(work, options))
"""
    process = run_program(program)
    assert (process.returncode, process.stderr) == (TIMED_OUT, "error: timed out after 1 s\n")
    assert read_report(report).error == "timed out after 1 s"


def run_program(text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-B", "-c", text], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_report_survives_a_kill_and_no_process_does(start: StartPod, tmp_path: Path) -> None:
    files = tmp_path / "termination-log", tmp_path / "made" / "report.json"
    options = [text for file in files for text in ("--termination-report", file)]
    pod = start("seal", *options, *ENDLESS)
    pod.wait_for_descendants(2)
    wait_until(lambda: all(read_report(file).peak for file in files))
    pod.process.kill()
    assert pod.end()[0] == -signal.SIGKILL
    for file in files:
        report = read_report(file)
        assert report.peak is not None
        assert report.peak > 10_000_000
        assert report.error is None


def test_report_is_rewritten_in_place(start: StartPod, tmp_path: Path) -> None:
    report = tmp_path / "report"
    report.write_text("a longer report of an earlier run" * 99)
    number = report.stat().st_ino
    assert start("trial", "--termination-report", report, *QUICK).end() == (ExitStatus.OK, [])
    assert read_report(report).error is None
    assert report.stat().st_ino == number


def test_report_of_a_failure_has_the_last_log_line(start: StartPod, tmp_path: Path) -> None:
    report = tmp_path / "report"
    status, err = start("trial", "--termination-report", report, *QUICK, "max_depth=-1").end()
    assert status == ExitStatus.USAGE
    assert [line.partition(":")[0] for line in err] == ["hint", "error"]
    assert err[-1] == f"error: {read_report(report).error}"


def test_bug_logs_its_traceback_and_ends_with_one_line(tmp_path: Path) -> None:
    report = tmp_path / "report"
    program = f"""
import sys
from pathlib import Path
from housectl_trainer.supervised_run import SupervisionOptions, run_supervised
options = SupervisionOptions(termination_report=[Path({str(report)!r})])
sys.exit(run_supervised(lambda: 1 / 0, options))
"""
    process = run_program(program)
    assert process.returncode == ExitStatus.BUG
    assert "Traceback" in process.stderr
    assert process.stderr.splitlines()[-1] == "error: ZeroDivisionError: division by zero"
    assert read_report(report).error == "ZeroDivisionError: division by zero"


@pytest.mark.parametrize("command", ["trial", "seal"])
def test_worker_killed_by_the_kernel_ran_out_of_memory(
    start: StartPod, tmp_path: Path, command: str
) -> None:
    report = tmp_path / "report"
    pod = start(command, "--termination-report", report, *ENDLESS)
    worker, *_ = pod.wait_for_descendants(1 if command == "trial" else 2)
    os.kill(worker, signal.SIGKILL)
    status, err = pod.end()
    assert (status, err[-1]) == (KILLED, "error: out of memory")
    assert read_report(report).error == "out of memory"


@pytest.mark.parametrize("options", [(), ("--min-runtime", "0.1")])
def test_fold_process_killed_by_the_kernel_ran_out_of_memory(
    start: StartPod, options: tuple[str, ...]
) -> None:
    pod = start("seal", *options, *ENDLESS)
    folds = pod.wait_for_descendants(3 if options else 2)
    os.kill(folds[-1], signal.SIGKILL)
    status, err = pod.end()
    assert (status, err[-1]) == (KILLED, "error: out of memory")


def test_report_that_cannot_be_written_does_not_stop_the_training(
    start: StartPod, tmp_path: Path
) -> None:
    status, err = start("trial", "--termination-report", tmp_path, *QUICK).end()
    assert status == ExitStatus.OK
    assert err == [f"no termination report: [Errno 21] Is a directory: '{tmp_path}'"]


def test_temporary_files_of_an_earlier_attempt_are_removed(start: StartPod, tmp_path: Path) -> None:
    temp_path_for(tmp_path / "output").mkdir()
    other = temp_path_for(tmp_path / "another")
    other.mkdir()
    assert start("trial", *QUICK).end()[0] == ExitStatus.OK
    assert sorted(tmp_path.iterdir()) == [other, tmp_path / "output"]


@pytest.mark.parametrize("command", ["trial", "seal"])
def test_only_the_outputs_parent_and_the_report_are_written(
    boston: Inputs, tmp_path: Path, command: str
) -> None:
    home, volume, report = tmp_path / "home", tmp_path / "volume", tmp_path / "report"
    home.mkdir(mode=0o555)
    volume.mkdir()
    report.touch(mode=0o666)
    volume.chmod(0o777)
    report.chmod(0o666)
    arguments = (
        "--inputs",
        boston.path,
        "--output",
        volume / "e" / "output",
        "--termination-report",
        report,
    )
    process = subprocess.run(
        [*without_permissions(), *TRAINER, command, *arguments, *QUICK],
        cwd=home,
        env={**os.environ, "HOME": str(home), "TMPDIR": str(home), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (process.returncode, process.stderr.count("Error")) == (ExitStatus.OK, 0), process.stderr
    assert read_report(report).error is None
    assert [path.name for path in (volume / "e").iterdir()] == ["output"]
    assert list(home.iterdir()) == []


def without_permissions() -> list[str]:
    """Return a command prefix that takes root's permission to write away from a program."""
    return NOBODY if os.getuid() == 0 else []


@pytest.mark.parametrize("family", Family)
def test_number_of_cores_does_not_change_objective_and_model(
    boston: Inputs, tmp_path: Path, family: Family
) -> None:
    for cores in ("1", "2"):
        arguments = ("--inputs", boston.path, "--output", tmp_path / cores, "--family", family)
        subprocess.run(
            [*TRAINER, "trial", *arguments, *arguments_of(SMALL_ASSIGNMENTS[family])],
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
def test_peak_memory_is_read_from_the_control_group(tmp_path: Path, file: str) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text("1234567\n")
    assert peak_memory(os.getpid(), cgroup=tmp_path) == 1234567


def test_peak_memory_is_the_processs_without_control_groups(tmp_path: Path) -> None:
    before = peak_memory(os.getpid(), cgroup=tmp_path)
    assert before is not None
    held = b"x" * before
    after = peak_memory(os.getpid(), cgroup=tmp_path)
    assert len(held) == before
    assert after is not None
    assert after > before


@pytest.mark.parametrize("text", ["x", "\x1b", "ü", "😀"])
def test_longest_report_fits_into_kubernetes_limit(tmp_path: Path, text: str) -> None:
    path = tmp_path / "report"
    TerminationReport(peak=2**62, error=text * 5000).rewrite(path)
    assert path.stat().st_size <= 4096
    report = TerminationReport.from_json(path.read_bytes())
    assert report.error is not None
    assert set(report.error) == {text}
    assert len(report.error) >= 500
