"""BibTeX in UTF-8, one entry a record, by bibtexparser; LaTeX's own characters are escaped by pylatexenc."""

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate

from bibtexparser.library import Library
from bibtexparser.model import Entry, Field
from bibtexparser.writer import write as written
from pylatexenc.latexencode import (  # type: ignore[import-untyped]
    RULE_DICT,
    RULE_REGEX,
    UnicodeToLatexConversionRule,
    UnicodeToLatexEncoder,
)

from harvester.record import Name, Record
from index.exports.plain import distinct, editors, keywords, line, urls

_TYPES = {
    "article": "article", "review": "article", "book": "book", "chapter": "incollection",
    "conference": "inproceedings", "thesis": "phdthesis", "report": "techreport",
}  # fmt: skip
_CONTAINERS = {"article": "journal", "incollection": "booktitle", "inproceedings": "booktitle"}
_MAKERS = {"phdthesis": "school", "mastersthesis": "school", "techreport": "institution"}
_MASTERS = re.compile(r"master|bachelor|msc|diplom|licen[ct]iate", re.I)
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_NOT_IN_KEYS = re.compile(r"[^A-Za-z0-9:/._-]")
_VERBATIM = str.maketrans({"{": "%7B", "}": "%7D", "\\": "%5C", " ": "%20"})

_SPECIAL = re.compile(r"[\\{}$&#_%~^]")
_AS_WRITTEN = re.compile(r"[^\x00-\x7f]+|[\"<>|]")


def _encoder(**own: str) -> UnicodeToLatexEncoder:
    signs = {ord(one): macro for one, macro in own.items()}
    rules = [
        UnicodeToLatexConversionRule(RULE_DICT, signs),
        UnicodeToLatexConversionRule(RULE_REGEX, [(_AS_WRITTEN, r"\g<0>")]),
        "defaults",
    ]
    return UnicodeToLatexEncoder(
        conversion_rules=rules, unknown_char_policy="keep", unknown_char_warning=False
    )


_plain = _encoder()
_unpaired = _encoder(**{"{": r"\textbraceleft", "}": r"\textbraceright"})


def write(record: Record) -> str:
    """A blank line ends it."""
    fields = [Field(name, value) for name, value in _fields(record)]
    return written(Library([Entry(_entry_type(record), key(record), fields)])) + "\n"


def key(record: Record) -> str:
    """The record's id, so it stays whatever is corrected in the record; what BibTeX forbids as +hh."""
    return _NOT_IN_KEYS.sub(lambda match: "".join(f"+{byte:02x}" for byte in match[0].encode()), record.id)


def _entry_type(record: Record) -> str:
    if record.type == "thesis" and any(map(_MASTERS.search, record.raw_types)):
        return "mastersthesis"
    return _TYPES.get(record.type, "misc")


def _fields(record: Record) -> Iterator[tuple[str, str]]:
    """(name, value with its braces); what is not there is left out."""
    kind = _entry_type(record)
    texts = {
        "title": record.title,
        _CONTAINERS.get(kind, "howpublished"): record.container or record.event,
        "volume": record.volume,
        "number": record.issue,
        _MAKERS.get(kind, "publisher"): _maker(record, kind),
        "issn": record.issn,
        "isbn": record.isbn,
        "abstract": record.abstract,
        "keywords": _list(keywords(record)),
        "language": ", ".join(record.languages),
        "note": "; ".join(distinct(record.notes)),
    }
    people = {"author": record.creators, "editor": editors(record)}
    yield from _given({name: " and ".join(map(_name, who)) for name, who in people.items()})
    yield from _given({name: _latex(text) for name, text in texts.items()})
    yield from _given({"pages": re.sub(r"(?<=\w)\s*[-–—]+\s*(?=\w)", "--", _latex(record.pages))})
    yield from _given({"year": "" if record.year is None else str(record.year)})
    if (month := record.date[5:7]).isdecimal() and 0 < int(month) <= len(_MONTHS):
        yield "month", _MONTHS[int(month) - 1]
    verbatim = {"doi": record.doi, "url": next(iter(urls(record)), "")}
    yield from _given({name: line(value).translate(_VERBATIM) for name, value in verbatim.items()})


def _latex(text: str) -> str:
    """BibTeX counts braces, escaped or not: one that has no partner needs its name."""
    if not _SPECIAL.search(text):  # most texts: the library takes a millisecond
        return line(text)
    depths = list(accumulate({"{": 1, "}": -1}.get(one, 0) for one in text))
    paired = not depths or (depths[-1] == 0 and min(depths) == 0)
    return str((_plain if paired else _unpaired).unicode_to_latex(text))


def _given(values: dict[str, str]) -> Iterator[tuple[str, str]]:
    return ((name, f"{{{value}}}") for name, value in values.items() if value)


def _maker(record: Record, kind: str) -> str:
    """Where a thesis or report was made; of all else, who published it."""
    made, published = record.institution, record.publisher
    return made or published if kind in _MAKERS else published or made


def _list(words: Sequence[str]) -> str:
    return ("; " if any("," in word for word in words) else ", ").join(words)


def _name(name: Name) -> str:
    """What is no "Family, Given" is kept whole by braces, as a body's name must be."""
    if name.family and name.given:
        return f"{_part(name.family)}, {_part(name.given)}"
    return f"{{{_latex(name.name)}}}"


def _part(text: str) -> str:
    """A comma or an `and` would end it."""
    part = _latex(text)
    return f"{{{part}}}" if "," in part or " and " in f" {part} ".lower() else part
