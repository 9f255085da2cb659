from pathlib import Path

import pytest

from tools.check_prose.__main__ import main
from tools.check_prose.passages import (
    Kind,
    Passage,
    comment_passages,
    markdown_passages,
    python_passages,
)
from tools.check_prose.rules import problems_of

LONG = "word " * 31


def problems(text: str, kind: Kind = Kind.PARAGRAPH) -> list[str]:
    return [problem.message for problem in problems_of(Passage(kind, 1, text))]


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("A URL that is none fails.", "is none"),
        ("The search goes on.", "goes on"),
        ("Read it, then come\nback to it.", "come back to"),
        ("The bundle lies there.", "lies"),
        ("This is in the way.", "the way"),
        ("The name stands there.", "stands"),
        ("The server tells why.", "tells"),
        ("It searches for ever.", "for ever"),
    ],
)
def test_banned_phrase_is_reported(text: str, phrase: str) -> None:
    assert problems(text) == [f"'{phrase}'"]


@pytest.mark.parametrize(
    "text",
    [
        "PVC stands for PersistentVolumeClaim.",
        "Set `the way` to a value.",
        "See [the log](https://example.org/says/lies).",
        "The waiting command reports it.",
        "What does it need?",
        "The value is None without a champion.",
        "Skip the test where there is none.",
        f"{'word ' * 20}. {'Word ' * 20}.",
    ],
)
def test_plain_sentence_passes(text: str) -> None:
    assert problems(text) == []


def test_long_sentence_is_reported_on_its_own_line() -> None:
    passage = Passage(Kind.COMMENT, 7, f"Short.\n{LONG.capitalize()}")
    assert [(problem.line, problem.message) for problem in problems_of(passage)] == [
        (8, "sentence of 31 words")
    ]


def test_chain_of_error_texts_may_be_long() -> None:
    assert problems(f"a: b: c: {LONG}", Kind.MESSAGE) == []


@pytest.mark.parametrize("opening", ["What", "Whether", "How", "Where", "Why", "Who"])
def test_docstring_opening_is_reported(opening: str) -> None:
    text = f"{opening} it is done."
    assert problems(text, Kind.DOCSTRING) == [f"docstring begins with '{opening}'"]


def test_free_relative_is_reported_outside_docstrings() -> None:
    assert problems("What has finished stays.") == ["sentence begins with 'What'"]


def test_markdown_passages_leave_out_code() -> None:
    source = "# Title\n\nOne\ntwo\n\n```\ncode\n```\n- item\n\n| a | b |\n|---|---|\n"
    assert [(passage.line, passage.text) for passage in markdown_passages(source)] == [
        (1, "Title"),
        (3, "One\ntwo"),
        (9, "item"),
        (11, "a"),
        (11, "b"),
    ]


def test_python_passages_are_docstrings_comments_and_messages() -> None:
    source = '''"""Module."""
# One
# comment.
x = 1  # Trailing.
y = f"{x} is a message"
z = "short one"
# noqa: E501

def f():
    """Summary.

    Args:
        name: Text.
    """
'''
    passages = {(passage.kind, passage.line, passage.text) for passage in python_passages(source)}
    assert passages == {
        (Kind.DOCSTRING, 1, "Module."),
        (Kind.COMMENT, 2, "One\ncomment."),
        (Kind.COMMENT, 4, "Trailing."),
        (Kind.MESSAGE, 5, "VALUE is a message"),
        (Kind.DOCSTRING, 10, "Summary."),
        (Kind.COMMENT, 12, "    Args:"),
        (Kind.DOCSTRING, 13, "Text."),
    }


def test_comment_passages_of_a_makefile() -> None:
    source = "# One\n# two.\ntest:  ## Run the tests.\n\tpytest\n"
    assert [(passage.line, passage.text) for passage in comment_passages(source)] == [
        (1, "One\ntwo."),
        (3, "Run the tests."),
    ]


def test_command_reports_each_problem_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Title\n\nThe search goes on.\n")
    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr().out == f"{page}:3: 'goes on': continue or resume\n"


def test_command_accepts_plain_prose(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("The search continues.\n")
    (tmp_path / "data.csv").write_text("what goes on\n")
    assert main([str(tmp_path)]) == 0


def test_only_the_mark_at_the_beginning_of_a_list_item_is_left_out() -> None:
    passages = [passage.text for passage in markdown_passages("- Below 0.20. With *two* words.")]
    assert passages == ["Below 0.20. With *two* words."]
