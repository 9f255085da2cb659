"""Explanations of the errors: the sections of docs/errors.md."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from housectl.documentation import documentation_url
from housectl.errors import ExitStatus, HousectlError, UsageError
from housectl.packaged_files import packaged_path

_PAGE = "errors.md"
_SECTION = re.compile(r"^## ([^\n]+)\n+(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_RELATIVE_LINK = re.compile(r"\]\(([\w-]+\.md)?(#[\w-]+)?\)")


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """An error, and the section of the documentation that explains it.

    Attributes:
        reference: The error's reference.
        status: Exit status of a command that fails with the error.
        meaning: The error in one sentence.
        text: The section, in Markdown.
    """

    reference: str
    status: ExitStatus
    meaning: str
    text: str

    @property
    def url(self) -> str:
        """The section in the online documentation."""
        return error_url(self.reference)


def explanations() -> tuple[Explanation, ...]:
    """Return the explanations of all errors, in the order of their exit statuses.

    >>> import housectl
    >>> [each.reference for each in housectl.explanations()][:2]
    ['usage', 'project-file']
    """
    page = packaged_path(f"docs/{_PAGE}").read_text(encoding="utf-8")
    sections = dict(_SECTION.findall(page))
    explained = (
        Explanation(
            reference=error.reference,
            status=error.status,
            meaning=(error.__doc__ or "").partition("\n")[0],
            text=_RELATIVE_LINK.sub(_absolute_link, sections[error.reference].strip()),
        )
        for error in _subclasses(HousectlError)
    )
    return tuple(sorted(explained, key=lambda each: each.status))


def explain(reference: str) -> Explanation:
    """Return the explanation of an error.

    Raises:
        UsageError: No error has this reference.

    >>> import housectl
    >>> housectl.explain("data").meaning
    'The data is invalid.'
    """
    known = {explanation.reference: explanation for explanation in explanations()}
    if reference in known:
        return known[reference]
    similar = get_close_matches(reference, known, n=1)
    raise UsageError(
        f"Explanation not found: no error has the reference {reference!r}.",
        hint=f"housectl explain {similar[0]}" if similar else "housectl explain   # lists all",
    )


def error_url(reference: str) -> str:
    """Return the URL of an error's section in the online documentation."""
    return documentation_url(f"{_PAGE}#{reference}")


def _subclasses(base: type[HousectlError]) -> Iterator[type[HousectlError]]:
    for subclass in base.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def _absolute_link(link: re.Match[str]) -> str:
    return f"]({documentation_url((link[1] or _PAGE) + (link[2] or ''))})"
