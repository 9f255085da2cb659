"""The command that explains errors."""

from typing import Annotated

import typer

import housectl
from housectl.cli.decorators import renders
from housectl.cli.results import Document, Result, Table


@renders
def explain(
    reference: Annotated[
        str | None,
        typer.Argument(
            metavar="REFERENCE",
            help="The word after `housectl explain` in an error; without it, all are listed.",
            show_default=False,
        ),
    ] = None,
) -> Result:
    """Explain an error: its usual cause, and its fix.

    Example: housectl explain cluster-forbidden
    """
    if reference is None:
        return _list_references()
    explanation = housectl.explain(reference)
    return Document(
        text=explanation.text,
        fields={
            "reference": explanation.reference,
            "status": explanation.status,
            "url": explanation.url,
        },
    )


def _list_references() -> Table:
    return Table(
        key="references",
        rows=[
            {"reference": each.reference, "status": each.status, "meaning": each.meaning}
            for each in housectl.explanations()
        ],
        empty="No error is documented.",
    )
