"""Layout of a champion store: the key of each file, relative to the root of the store."""

import re

from housectl.contract.path_names import checked_digest, checked_name

BUNDLES = "bundles"
EVIDENCE = "evidence"
HISTORY = "history"
CHALLENGERS = "challengers"
VERIFICATIONS = "verifications"
REQUIREMENTS = "requirements"
STEPS = "steps"
COMPARISONS = "comparisons"
FOLDERS = (
    *(BUNDLES, EVIDENCE, HISTORY, CHALLENGERS, VERIFICATIONS, REQUIREMENTS, STEPS),
    COMPARISONS,
)

_NUMBERED_NAME = re.compile(r"(?P<number>[1-9][0-9]{0,17})\.json")


def bundle_key(digest: str) -> str:
    """Return the key of a bundle's folder."""
    return f"{BUNDLES}/{checked_digest(digest)}"


def evidence_file_key(key: str) -> str:
    """Return the key of the file with the evidence of this evidence key."""
    return f"{EVIDENCE}/{checked_digest(key)}.json"


def entry_key(number: int) -> str:
    """Return the key of a history entry."""
    return f"{HISTORY}/{number}.json"


def file_number(name: str) -> int | None:
    """Return the number of the entry or challenger in a file of this name; None for other files."""
    match = _NUMBERED_NAME.fullmatch(name)
    return int(match["number"]) if match else None


def challenger_key(number: int) -> str:
    """Return the key of a challenger."""
    return f"{CHALLENGERS}/{number}.json"


def failed_verification_key(digest: str) -> str:
    """Return the key of the record of a bundle's first failed verification."""
    return f"{VERIFICATIONS}/{checked_digest(digest)}.json"


def lock_key(digest: str) -> str:
    """Return the key of the lock with this sha256."""
    return f"{REQUIREMENTS}/{checked_digest(digest)}.txt"


def step_key(step: str) -> str:
    """Return the key of the record of a step of `housectl run`."""
    return f"{STEPS}/{checked_name(step)}.json"


def comparison_folder(holdout_rows: str) -> str:
    """Return the key of the folder with the comparisons on some held-out rows."""
    return f"{COMPARISONS}/{checked_digest(holdout_rows)}"


def comparison_key(holdout_rows: str, challenger: str) -> str:
    """Return the key of the record that a challenger was compared on some held-out rows."""
    return f"{comparison_folder(holdout_rows)}/{checked_digest(challenger)}.json"
