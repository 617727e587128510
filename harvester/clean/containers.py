"""The journal or book that a dc:source names, with volume, issue and pages where they are in it."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from harvester.clean import links
from harvester.identifiers import recognise

_OJS = re.compile(
    r"([^;]+); (?:(?:Vol|Bd|T|v)\.? ?(\w+))?,? ?(?:(?:No|Nr|Núm|N)\.? ?([\w/-]+))?[^;]*"
    r"(?:; ([\w.]+ ?[-–] ?[\w.]+|\d+))?",
    re.I,
)
_ZENODO = re.compile(
    r"(.+?), (?:([\w/]+)(?:\(([\w/-]+)\))?, )?(?:([A-Za-z]?\d+ ?[-–] ?[A-Za-z]?\d+), )?\(\d{4}[\d-]*\)"
)
# `Journal of Hay, 3 (2). pp. 12-20. ISSN 1234-5679`; London writes no `pp.`, Caltech `Art. No. 7` besides
_EPRINTS = re.compile(
    r"([^\[]+?)(?: ?, ([\w/-]+))?(?: \(([^()]+)\))? ?\."
    r"(?=\s*(?:(?:pp?\. ?|Art\. No\. ?)?\w*\d[\w–-]*\.?(?: |$)|ISSN|\(|DOI|https?:|$))"
    r"(?: (?:pp?\. ?|Art\. No\. ?)?([A-Za-z]?\d[\w.]*?(?: ?[-–] ?\w+)?)\.?(?: |$))?"
)
_UNITS = re.compile(r"\b(?:vol|bd|no|nr|núm|pp?|issue|volume|number)\b", re.I)
_LETTER = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[^\W\d_]{3}")


class Container(NamedTuple):
    """OJS says `Journal of Hay; Vol. 3 No. 2 (2015); 12-20`, Zenodo `Journal of Hay, 3(2), 12-20, (2015)`."""

    name: str = ""
    volume: str = ""
    issue: str = ""
    pages: str = ""


@lru_cache(maxsize=4096)
def read(value: str) -> Container | None:
    """None for an identifier, a citation, a paragraph."""
    if len(value) > 200 or value.startswith("http") or recognise(value) or not _LETTER.search(value):
        return None
    match = _OJS.fullmatch(value) or _ZENODO.fullmatch(value)
    if match and any(match.groups()[1:]):
        return Container(*((part or "").strip() for part in match.groups()))
    return None if links.is_citation(value) else Container(value)


def cited(citation: str, title: str) -> Container:
    """What EPrints' citation says of a journal behind the work's title."""
    _, _, rest = citation.partition(title)
    match = _EPRINTS.match(rest.lstrip(". ")) if title else None
    return Container(*(part or "" for part in match.groups())) if match else Container()


def related(relations: Sequence[str], citation: str) -> Container:
    """A relation that is a journal's name, for the citation names it, too (DASH, MIT, Duke, ASU);

    or one with a volume (Érudit).
    """
    for one in relations:
        if "://" in one or recognise(one) or not _WORD.search(one):
            continue
        known = read(one)
        if known and (known.volume or (len(one) > 5 and one in citation)):
            return known
    return Container()


@lru_cache(maxsize=4096)
def says_more(value: str, found: Container) -> bool:
    """OJS puts an issue's own title behind its number: `Journal of Hay; Vol. 3 (2015): On scythes; 12-20`."""
    if value == found.name:
        return False
    for part in found:
        value = value.replace(part, " ", 1) if part else value
    return _WORD.search(_UNITS.sub(" ", value)) is not None
