"""The log of Katib's metrics collector."""

from housectl.backends.katib.diagnosis.collector import collector_error, trainer_lines
from tests.backends.katib.diagnosis.recorded_cases import katib_case


def test_trainer_lines() -> None:
    context = katib_case("wrongname")
    assert trainer_lines(context.collector_log(context.trials[0])) == [
        "training x=0.9479363418294107 y=114",
        "rmse=0.549422",
    ]


def test_trainer_lines_that_look_like_collector_lines() -> None:
    prefix = "I1123 22:50:10.236138      15 main.go:143] "
    lines = [
        "",
        "F is no failure",
        "I1123 22:50:10.236138      15 main.go:143] nested",
        "  mse=3  ",
    ]
    log = "\n".join(prefix + line for line in lines)
    assert trainer_lines(log) == lines
    assert collector_error(log) is None


def test_collector_error() -> None:
    context = katib_case("exit1")
    assert collector_error(context.collector_log(context.trials[0])) == (
        "Failed to wait for worker container: training container is failed. Unable to read file "
        "/var/log/katib/7.pid for pid 7, error: open /var/log/katib/7.pid: no such file or "
        "directory"
    )
    assert collector_error("I1123 22:50:10.2 15 main.go:400] Trial Name: a\npanic: oh\n\ngo") == (
        "panic: oh"
    )


def test_log_without_error() -> None:
    context = katib_case("steps")
    log = context.collector_log(context.trials[0])
    assert "Metrics reported" in log
    assert collector_error(log) is None
    assert collector_error("") is None
    assert trainer_lines("") == []
