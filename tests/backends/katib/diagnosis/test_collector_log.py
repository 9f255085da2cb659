"""The log of Katib's metrics collector."""

from housectl.backends.katib.diagnosis.collector import collector_failure, trainer_lines
from tests.backends.katib.diagnosis.recorded_cases import katib_case


def test_the_trainers_lines() -> None:
    observed = katib_case("wrongname")
    assert trainer_lines(observed.collector_log(observed.trials[0])) == [
        "training x=0.9479363418294107 y=114",
        "rmse=0.549422",
    ]


def test_lines_of_the_trainer_that_look_like_others() -> None:
    prefix = "I1123 22:50:10.236138      15 main.go:143] "
    said = ["", "F is no failure", "I1123 22:50:10.236138      15 main.go:143] nested", "  mse=3  "]
    log = "\n".join(prefix + line for line in said)
    assert trainer_lines(log) == said
    assert collector_failure(log) is None


def test_the_failure_of_a_collector() -> None:
    observed = katib_case("exit1")
    assert collector_failure(observed.collector_log(observed.trials[0])) == (
        "Failed to wait for worker container: training container is failed. Unable to read file "
        "/var/log/katib/7.pid for pid 7, error: open /var/log/katib/7.pid: no such file or "
        "directory"
    )
    assert collector_failure("I1123 22:50:10.2 15 main.go:400] Trial Name: a\npanic: oh\n\ngo") == (
        "panic: oh"
    )


def test_a_log_without_failure() -> None:
    observed = katib_case("steps")
    log = observed.collector_log(observed.trials[0])
    assert "Metrics reported" in log
    assert collector_failure(log) is None
    assert collector_failure("") is None
    assert trainer_lines("") == []
