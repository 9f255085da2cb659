"""Check of the project's plan: the time of its trials, and the size of its models."""

from housectl.backend_registry import BACKENDS
from housectl.backends.doctor_check import CheckContext, CheckWarning
from housectl.estimation.estimator import quick_bound
from housectl.estimation.plan_check import PlanCheck
from housectl.estimation.trainer_process import can_estimate
from housectl.quantities import format_seconds


def check_trial_time(context: CheckContext) -> str:
    """Estimate the time of the trials, and fail if they cannot end within their limit."""
    project = context.project
    experiment = project.experiment(project.name)
    inputs = context.inputs()
    bound = quick_bound(experiment, inputs)
    if bound is not None:
        return (
            f"A typical trial takes less than {format_seconds(bound)} on one core of this machine."
        )
    if not can_estimate():
        return "not estimated, because this machine has no training libraries"
    plan_check = PlanCheck(is_local=BACKENDS[project.backend].is_local)
    estimate = plan_check.check(experiment, inputs)
    warnings = list(plan_check.warnings(experiment, estimate))
    if warnings:
        raise CheckWarning(
            " ".join((str(estimate), *(warning.message for warning in warnings))),
            hint=warnings[0].hint,
        )
    return str(estimate)
