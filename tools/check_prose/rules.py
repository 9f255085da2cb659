"""The rules for prose, and the problems of a passage by them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tools.check_prose.passages import Kind, Passage

MAX_WORDS = 30
_CHAIN_LENGTH = 3

BANNED = {
    r"(?<!\bthere\s)(is|are) (?-i:none)": "invalid, missing, or 'no X'",
    r"(goes|go|going|gone|went) on": "continue or resume",
    r"c(ome|omes|oming|ame) back to": "reattach to, or return to",
    r"anew": "again",
    r"stands(?! for)": "is",
    r"lies": "is in, or is stored in",
    r"tells": "reports, shows, or logs",
    r"says": "reports, states, or specifies",
    r"of now": "current",
    r"of ours": "housectl's, or our own",
    r"besides": "also, or other than",
    r"at hand": "available, installed, or on the PATH",
    r"some seconds": "a few seconds, or the number",
    r"cures?": "hint",
    r"for ?ever": "indefinitely, or without a limit",
    r"let(s|ting)? go of": "release, or delete",
    r"the (?:way)": "the procedure, blocking, or as",
    r"(that|those) (which|who)": "the noun",
    r"machine (?:that|which) types": "your own machine",
}

_BANNED = {
    re.compile(rf"\b{pattern}\b".replace(" ", r"\s+"), re.IGNORECASE): hint
    for pattern, hint in BANNED.items()
}
_CODE = re.compile(r"(`+)[^`]+\1")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_URL = re.compile(r"<?https?://\S+")
_ABBREVIATION = re.compile(r"\b(e\.g|i\.e|etc|vs)\.")
_SENTENCE = re.compile(r"\S.*?(?:[.!?][\"')*_]*(?=\s+[\"'(*_]*[A-Z0-9])|\Z)", re.DOTALL)
_WORD = re.compile(r"\S*\w\S*")
_BAD_OPENING = re.compile(r"(What|Whether|How|Where|Why|Who)\b")
_FREE_RELATIVE = re.compile(r"(What|Whatever|Who|Whoever)\b[^?]*\.$")


@dataclass(frozen=True)
class Problem:
    """A breach of a rule on a line of a file."""

    line: int
    message: str
    hint: str


def problems_of(passage: Passage) -> Iterator[Problem]:
    """Yield the problems of a passage."""
    text = _without_code(passage.text)
    yield from _banned_words(passage.line, text)
    if passage.kind is Kind.DOCSTRING and (opening := _BAD_OPENING.match(text.lstrip())):
        hint = "begin with a noun or a verb"
        yield Problem(passage.line, f"docstring begins with '{opening[0]}'", hint)
    for match in _SENTENCE.finditer(text):
        line = passage.line + text.count("\n", 0, match.start())
        yield from _sentence_problems(passage.kind, line, match[0])


def _banned_words(line: int, text: str) -> Iterator[Problem]:
    for pattern, hint in _BANNED.items():
        for match in pattern.finditer(text):
            phrase = " ".join(match[0].split())
            yield Problem(line + text.count("\n", 0, match.start()), f"'{phrase}'", hint)


def _sentence_problems(kind: Kind, line: int, sentence: str) -> Iterator[Problem]:
    words = len(_WORD.findall(sentence))
    if words > MAX_WORDS and not _is_error_chain(kind, sentence):
        yield Problem(line, f"sentence of {words} words", f"split it: {MAX_WORDS} at most")
    if kind is not Kind.DOCSTRING and (opening := _FREE_RELATIVE.match(sentence)):
        yield Problem(line, f"sentence begins with '{opening[1]}'", "name the subject with a noun")


def _is_error_chain(kind: Kind, sentence: str) -> bool:
    """Return True for the nested error texts that Kubernetes and container runtimes report."""
    return kind is Kind.MESSAGE and sentence.count(": ") >= _CHAIN_LENGTH


def _without_code(text: str) -> str:
    """Return the text with one word for each code span and URL, on the same lines."""
    text = _CODE.sub(lambda match: "CODE" + "\n" * match[0].count("\n"), text)
    text = _LINK.sub(r"\1", text)
    text = _URL.sub("URL", text)
    return _ABBREVIATION.sub(r"\1", text)
