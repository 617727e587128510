"""Several descriptions: which is the abstract, and which are remarks."""

from collections.abc import Sequence

from harvester.clean import markup, text
from harvester.identifiers import url

# Names of DataCite's kinds of description, alone in an element (DARA).
_LABELS = {"abstract", "seriesinformation", "tableofcontents", "methods", "technicalinfo", "other"}


def choose(values: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """(abstract, notes): the longest is the abstract: DSpace puts sponsors and versions beside it."""
    if not values:
        return "", ()
    said = [markup.abstract(value) for value in values]
    prose = [one for one in said if len(one) > 100 or not (one.lower() in _LABELS or url(one))]
    if len(prose) < 2:
        return "".join(prose), ()
    prose = list(text.unique(prose))
    abstract = max((one for one in prose if not one.startswith("Comment: ")), key=len, default="")  # arXiv
    return abstract, tuple(one for one in prose if one != abstract)


def unplaced(values: Sequence[str]) -> tuple[str, ...]:
    """A label alone, and an address: bepress gives the thumbnail's."""
    return tuple([one for one in values if len(one) < 500 and (url(one) or one.lower() in _LABELS)])
