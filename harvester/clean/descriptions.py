"""Several descriptions: which is the abstract, and which are remarks."""

import re
from collections.abc import Sequence

from harvester.clean import markup, text
from harvester.identifiers import url

# Names of DataCite's kinds of description, alone in an element (DataCite, DARA); and a form filled in (OJS).
_NOTHING = {"abstract", "seriesinformation", "tableofcontents", "methods", "technicalinfo", "other", "."}


# What begins a remark, whatever its length (Cambridge's sponsors and versions, ASU, Kansas, BHL's volumes).
_OPENINGS = ("Comment: ", "Citation: ", "This ", "v.")
_REMARK = re.compile(
    r"Comment: |Citation: |v\.\s?\d+\W"
    r"|This (?:is|was) the (?:(?:author'?s?'?|final|accepted|published|submitted|peer-reviewed)\s)+"
    r"(?:version|manuscript)|This (?:work|research) was (?:supported|funded)|This record (?:is|will)"
)
_INSIDE = re.compile(r"(?<=[.:]) Abstract: ")


def choose(values: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """(abstract, notes): the longest is the abstract: DSpace puts sponsors and versions beside it."""
    if not values:
        return "", ()
    said = [markup.abstract(value) for value in values]
    prose = [one for one in said if len(one) > 100 or not (one.lower() in _NOTHING or url(one))]
    if len(prose) == 1:
        return _alone(prose[0])
    prose = list(text.unique(prose))
    abstract = max((one for one in prose if not _is_remark(one)), key=len, default="")
    return abstract, tuple(one for one in prose if one != abstract)


def _alone(said: str) -> tuple[str, tuple[str, ...]]:
    if _is_remark(said):
        return "", (said,)
    if "Abstract: " in said[1:300] and (inside := _INSIDE.search(said)):  # the MLA's commons
        return said[inside.end() :], (said[: inside.start()],)
    return said, ()


def _is_remark(said: str) -> bool:
    return said.startswith(_OPENINGS) and _REMARK.match(said) is not None


def unplaced(values: Sequence[str]) -> tuple[str, ...]:
    """An address: bepress gives the thumbnail's."""
    return tuple([one for one in values if len(one) < 500 and url(one)])
