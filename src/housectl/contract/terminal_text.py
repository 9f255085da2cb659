"""Text from users, data and clients that is safe to show on a terminal."""


def printable(text: str) -> str:
    """Return a line with escape sequences in place of line breaks and control characters."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def printable_lines(text: str) -> str:
    """Return lines with escape sequences in place of control characters."""
    return "\n".join(map(printable, text.split("\n")))
