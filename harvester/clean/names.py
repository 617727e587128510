"""Names of persons and bodies: "Family, Given" taken apart where that is sure; `name` always as written."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from harvester.clean import markup, text
from harvester.identifiers import orcid
from harvester.record import Name

_SUFFIX = re.compile(r"(?:Jr|Sr|II|III|IV|Ph\.?D|M\.?\s?D|Dr|Esq)\.?", re.I)
_LIFE_DATES = re.compile(
    r",?\s*(?:b\.|d\.|ca\.|active|fl\.)?\s*\(?\d{4}\??\s*(?:[-–]\s*(?:\d{4}\??)?)?\)?\.?$"
)
_ROLE = re.compile(
    r"\s*\((author|editor|ed|eds|translator|illustrator|photographer|contributor|performer|conductor|composer"
    r"|featured performer|lyricist|artist|depicted|interviewer|interviewee|director|advisor|supervisor"
    r"|compiler)\.?\)$",
    re.I,
)
_ORCID = re.compile(
    r"[\s(\[;,]*(?:orcid(?: id)?[:\s]*)?((?:https?://orcid\.org/)?\d{4}-\d{4}-\d{4}-\d{3}[\dX])[)\]]?", re.I
)
_TITLES = re.compile(r"(?<=, )(?:(?:Prof|Dr|Mrs?|Ms|Rev)\.\s*)+")  # Cogprints: `Tan, Prof. Dr. Uner`
# A catalogue card's end (Colorado, BHL); an initial's point stays, and that of `Corp.` or `Jr.`
_FULL_STOP = re.compile(r"(?<=[a-z]{4}|.{3}\))\.$")
_BODY = re.compile(
    r"\b(?:universit|institut|department|school of|college|laborator|centre|center|ministr|committee|society"
    r"|association|company|corporation|collaboration|consortium|agency|council|library|museum|foundation|office|group|team|inc\b|ltd\b"
    r"|gmbh)",
    re.I,
)


class Found(NamedTuple):
    """`affiliations`: what was said beside the names, or instead of them (Missouri: an ORCID alone)."""

    people: tuple[Name, ...]
    affiliations: tuple[str, ...] = ()


NOBODY = Found(())


def people(values: Iterable[str], role: str = "") -> tuple[Name, ...]:
    return read(values, role).people


def read(values: Iterable[str], role: str = "") -> Found:
    """Several in one value stand between semicolons, or between commas if each is a whole name."""
    found: list[Name] = []
    beside: list[str] = []
    for value in values:
        each = _each(value) if ";" in value or value.count(",") > 1 or " , " in value else (value,)
        before = len(found)
        for one in each:
            if known := person(one, role):
                found.append(known)  # noqa: PERF401  # a list for each name costs more than the names
        if ";" in value:
            beside += _beside(value)
        elif len(found) == before:
            beside.append(value)
    return Found(tuple(found), tuple(beside))


@lru_cache(maxsize=16384)  # who writes once in a repository, writes again
def person(value: str, role: str = "") -> Name | None:
    """None for what has no letter in it."""
    value, number = _split_orcid(markup.line(value))
    if value[-1:] == ")" and (role_said := _ROLE.search(value)):
        role, value = role_said[1].lower(), value[: role_said.start()]
    if value[-1:].isdigit() or value[-1:] in "-.?)":
        value = _LIFE_DATES.sub("", value) or value
    value = value.rstrip(" ,;")
    if value[-1:] == ".":
        value = _FULL_STOP.sub("", value)
    if "r. " in value or "f. " in value:
        value = _TITLES.sub("", value)
    if not value[:1].isalpha() and not any(map(str.isalpha, value)):
        return None
    family, given = _parts(value)
    return Name(value, family, given, number, role)


def from_parts(family: str, given: str, number: str = "", role: str = "", lineage: str = "") -> Name | None:
    """A name that the provider has already taken apart."""
    family, given, lineage = markup.line(family), markup.line(given), markup.line(lineage)
    name = ", ".join(filter(None, (family, given, lineage)))
    return Name(name, family, given, orcid(number), role) if name else None


def body(value: str, role: str = "") -> Name | None:
    name = markup.line(value)
    return Name(name, role=role) if name else None


def _each(value: str) -> list[str]:
    if ";" in value:
        return _between_semicolons(markup.line(value))
    if " , " in value:  # CiteSeerX
        return value.split(" , ")
    if value.count(",") >= 2 and (parts := value.split(",")) and all(" " in part.strip() for part in parts):
        return value.split(",") if not _BODY.search(value) else [value]
    return [value]


def _between_semicolons(value: str) -> list[str]:
    """`Mower, Ann; Reaper, Bo`; but OJS writes an affiliation there (`Mower, Ann; University of Hay`)."""
    first, *others = value.split(";")
    return [first, *(one for one in others if _is_alike(one, first))] if "0000-000" not in value else [value]


def _is_alike(one: str, first: str) -> bool:
    return ("," in one) == ("," in first) and not _BODY.search(one)


def _beside(value: str) -> list[str]:
    first, *others = markup.line(value).split(";") if "0000-000" not in value else [value]
    return [one.strip() for one in others if one.strip() and not _is_alike(one, first)]


def _split_orcid(value: str) -> tuple[str, str]:
    if "000" not in value or not (match := _ORCID.search(value)):
        return value, ""
    return text.line(value[: match.start()] + " " + value[match.end() :]), orcid(match[1])


def _parts(name: str) -> tuple[str, str]:
    """Where exactly one comma is left and no body is meant ("University of California, Berkeley")."""
    if "," not in name:
        return "", ""
    parts = [part.strip() for part in name.split(",")]
    if len(parts) > 2 and _SUFFIX.fullmatch(parts[-1]):
        parts.pop()
    if len(parts) != 2 or not all(parts) or (" " in parts[0] and _is_body(name, parts[0])):
        return "", ""
    return parts[0], parts[1]


def _is_body(name: str, family: str) -> bool:
    """A family name of several words may be a body's; no one's has five."""
    return family.count(" ") > 3 or _BODY.search(name) is not None
