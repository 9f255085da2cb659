"""What a command returns: rows that are shown as text, or as JSON, but are the same rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from housectl.cli import console
from housectl.errors import ExitStatus

Row = Mapping[str, object]


class Result(Protocol):
    """A result that can be shown.

    Attributes:
        notes: Said on stderr afterwards.
        status: What the command ends with.
    """

    @property
    def notes(self) -> Sequence[str]:
        """Said on stderr afterwards."""

    @property
    def status(self) -> ExitStatus:
        """What the command ends with."""

    def show(self, *, as_json: bool) -> None:
        """Write it to stdout."""


@dataclass(frozen=True, kw_only=True)
class CommandResult:
    """What every view has."""

    notes: Sequence[str] = ()
    status: ExitStatus = ExitStatus.OK


@dataclass(frozen=True, kw_only=True)
class Fields(CommandResult):
    """One thing."""

    fields: Row

    def show(self, *, as_json: bool) -> None:
        """Write a line for each field, or the object."""
        if as_json:
            console.print_json(self.fields)
        else:
            console.print_fields(self.fields)


@dataclass(frozen=True, kw_only=True)
class Table(CommandResult):
    """Like things, perhaps under a heading of fields.

    Attributes:
        key: Name of the list in the JSON object.
        empty: Said instead of an empty table.
    """

    key: str
    rows: Sequence[Row]
    empty: str
    heading: Row = field(default_factory=dict)

    def show(self, *, as_json: bool) -> None:
        """Write heading and table, or one object."""
        if as_json:
            console.print_json({**self.heading, self.key: self.rows})
            return
        if self.heading:
            console.print_fields(self.heading)
        if self.rows:
            console.print_table(self.rows)
        else:
            console.note(self.empty)


@dataclass(frozen=True, kw_only=True)
class Lines(CommandResult):
    """Lines as they come; `text` is the field that people see."""

    lines: Iterator[Row]
    text: str

    def show(self, *, as_json: bool) -> None:
        """Write each line, or one object for each."""
        for line in self.lines:
            if as_json:
                console.print_json_line(line)
            else:
                console.print_text(str(line[self.text]))


@dataclass(frozen=True, kw_only=True)
class Document(CommandResult):
    """A text that other programs read."""

    text: str
    fields: Row

    def show(self, *, as_json: bool) -> None:
        """Write the text, or an object that has it as `document`."""
        if as_json:
            console.print_json({**self.fields, "document": self.text})
        else:
            console.print_text(self.text)
