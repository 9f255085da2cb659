"""Results of commands. The same rows are shown as text or as JSON."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from housectl import ExitStatus
from housectl.cli import console

Row = Mapping[str, object]


class Result(Protocol):
    """A result that a command returns."""

    @property
    def notes(self) -> Sequence[str]:
        """Lines for stderr, printed after the result."""

    @property
    def status(self) -> ExitStatus:
        """Exit status of the command."""

    def show(self, *, as_json: bool) -> None:
        """Print the result to stdout."""


@dataclass(frozen=True, kw_only=True)
class CommandResult:
    """Notes and exit status, which every result has."""

    notes: Sequence[str] = ()
    status: ExitStatus = ExitStatus.OK


@dataclass(frozen=True, kw_only=True)
class Fields(CommandResult):
    """One object."""

    fields: Row

    def show(self, *, as_json: bool) -> None:
        """Print a line for each field, or a JSON object."""
        if as_json:
            console.print_json(self.fields)
        else:
            console.print_fields(self.fields)


@dataclass(frozen=True, kw_only=True)
class Report(CommandResult):
    """One object, whose numbers are shown as tables.

    Attributes:
        fields: The JSON object.
        lines: Fields above the tables.
        tables: Tables, each with at least one row.
    """

    fields: Row
    lines: Row
    tables: Sequence[Sequence[Row]]

    def show(self, *, as_json: bool) -> None:
        """Print lines and tables, or a JSON object."""
        if as_json:
            console.print_json(self.fields)
            return
        console.print_fields(self.lines)
        for rows in self.tables:
            console.print_line("")
            console.print_table(rows)


@dataclass(frozen=True, kw_only=True)
class Table(CommandResult):
    """Rows with the same columns.

    Attributes:
        key: Name of the list in the JSON object.
        empty: Note for a table without rows.
        heading: Fields above the table.
        details: Fields of the JSON object only.
    """

    key: str
    rows: Sequence[Row]
    empty: str
    heading: Row = field(default_factory=dict)
    details: Row = field(default_factory=dict)

    def show(self, *, as_json: bool) -> None:
        """Print heading and table, or one JSON object with both."""
        if as_json:
            console.print_json({**self.heading, self.key: self.rows, **self.details})
            return
        if self.heading:
            console.print_fields(self.heading)
        if self.rows:
            console.print_table(self.rows)
        else:
            console.note(self.empty)


@dataclass(frozen=True, kw_only=True)
class Lines(CommandResult):
    """A stream of lines; `text` names the field that is printed as text."""

    lines: Iterator[Row]
    text: str

    def show(self, *, as_json: bool) -> None:
        """Print each line as text, or as a JSON object."""
        for line in self.lines:
            if as_json:
                console.print_json_line(line)
            else:
                console.print_line(str(line[self.text]))


@dataclass(frozen=True, kw_only=True)
class Document(CommandResult):
    """A text for other programs, such as a manifest."""

    text: str
    fields: Row

    def show(self, *, as_json: bool) -> None:
        """Print the text, or a JSON object with the text as `document`."""
        if as_json:
            console.print_json({**self.fields, "document": self.text})
        else:
            console.print_document(self.text)
