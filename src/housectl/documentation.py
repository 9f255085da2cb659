"""Location of the online documentation: a wheel does not contain it."""


def documentation_url(page: str) -> str:
    """Return the URL of a page, such as `project-file.md` or `errors.md#data`."""
    from importlib.metadata import metadata

    lines: list[str] = metadata("housectl").get_all("Project-URL", [])
    return f"{dict(line.split(', ', 1) for line in lines)['Documentation']}/{page}"
