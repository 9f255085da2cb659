"""The output of `housectl list`."""

from tools.project_directory import ProjectDirectory


def listed_states(project: ProjectDirectory) -> dict[str, str]:
    """Return the state of each listed experiment."""
    experiments = project.run_ok("list", "--json").json["experiments"]
    assert isinstance(experiments, list)
    return {each["experiment"]: each["state"] for each in experiments}
