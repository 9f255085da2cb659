"""Columns that identify people, recognised by their name or by the form of their cells."""

import re

from housectl.scaffold.columns.choice import ColumnChoice, ExclusionChoice
from housectl.scaffold.columns.profile import ColumnProfile

# A short list of levels describes groups; names and numbers of people are many.
_MAX_GROUPS = 10

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")
_PERSON = (
    "first|last|full|sur|given|family|middle|maiden|user|nick|customer|client|patient|employee"
)
_PERSONAL_NAME = re.compile(
    rf"(.* )?((({_PERSON}|owner|contact|person) ?names?)|surname|forename|e ?mails?( address)?|"
    r"phones?( number| no)?|telephone|mobile (phone|number)|fax|ssn|social security( number)?|"
    r"iban|passport( number| no)?|credit card( number)?|(street|home|postal|mailing|ip) address|"
    r"address( line)?( \d+)?)|names?"
)
_FORMS = {
    "e-mail addresses": re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"),
    "phone numbers": re.compile(r"(\+|00?)[1-9 (][\d ()/-]*[ ()/-][\d ()/-]{3,}"),
    "IP addresses": re.compile(r"\d{1,3}(\.\d{1,3}){3}"),
}


def personal_data(profile: ColumnProfile) -> ColumnChoice | None:
    """Return an exclusion for a column whose cells identify people."""
    if len(profile.counts) <= _MAX_GROUPS:
        return None
    for form, pattern in _FORMS.items():
        if all(map(pattern.fullmatch, profile.counts)):
            return _exclusion(f"the cells have the form of {form}")
    words = " ".join(_WORDS.findall(profile.name)).lower()
    if _PERSONAL_NAME.fullmatch(words) and not (profile.is_numeric and not profile.is_unique):
        return _exclusion("columns with this name usually identify people")
    return None


def _exclusion(reason: str) -> ExclusionChoice:
    return ExclusionChoice(kind="personal data", reason=reason)
