"""A new diagnosis probe: one function and one entry in the list of its module."""

import subprocess

from tests.extension.source_copy import SourceCopy
from tools.project_directory import ROOT

JOB = "src/housectl/backends/katib/diagnosis/job.py"
PROBE = '''

def _license_expired(run: JobRun) -> Cause | None:
    """Return the cause of a trainer without a valid license."""
    if not run.termination or run.termination.exit_code != 3:
        return None
    return Cause(message="its license has expired.", hint=run.logs_command)
'''
DIAGNOSE = """
from tests.backends.katib.diagnosis.edits import cause_of
from tests.backends.katib.diagnosis.recorded_cases import job_case

print(cause_of(job_case("exit")))
print(cause_of(job_case("time124")))
"""


def test_new_probe_finds_cause_of_recorded_job(source: SourceCopy) -> None:
    assert diagnose(source)[0].startswith("exited 3: boom. ")
    entry_before = "    timed_out,\n    unusable_inputs,\n"
    source.insert(JOB, after=entry_before, text="    _license_expired,\n")
    function_before = "    return first_cause(POD_PROBES, run.pod) if run.pod else None\n"
    source.insert(JOB, after=function_before, text=PROBE)
    assert diagnose(source) == [
        "its license has expired. Hint: housectl logs exit",
        "timed out. Hint: housectl tune --trial-time 20m",
    ]


def diagnose(source: SourceCopy) -> list[str]:
    """Return the causes of two recorded jobs from the code of the copy."""
    return subprocess.run(
        [source.python, "-c", DIAGNOSE], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
