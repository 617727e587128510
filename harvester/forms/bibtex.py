"""BibTeX as EPrints exports it: one entry. It writes many a letter as a question mark."""

from collections.abc import Mapping

from harvester.clean import dates, markup, names, text
from harvester.errors import FormatError
from harvester.identifiers import recognise
from harvester.record import Identifier, Name, Record

# Words that LaTeX means nothing by.
_VERBATIM = ("url", "doi", "isbn", "issn")


def normalise(body: bytes) -> Record:
    """FormatError where it is not just one entry."""
    fields = _fields(body.decode("utf-8", "replace"))
    date = dates.read(fields.get("year", "")).date
    known = _identifiers(fields)
    return Record(
        formats=("bibtex",),
        title=markup.title(fields.get("title", "")),
        creators=_people(fields.get("author", "")),
        contributors=_people(fields.get("editor", ""), "editor"),
        abstract=markup.abstract(fields.get("abstract", "")),
        keywords=text.unique(text.words_list(fields.get("keywords", ""))),
        date=date,
        year=dates.year(date),
        publisher=markup.line(fields.get("publisher", "")),
        container=markup.line(fields.get("journal", "") or fields.get("booktitle", "")),
        volume=markup.line(fields.get("volume", "")),
        issue=markup.line(fields.get("number", "")),
        pages=markup.line(fields.get("pages", "")),
        issn=_first(known, "issn"),
        isbn=_first(known, "isbn"),
        doi=_first(known, "doi"),
        identifiers=known,
        institution=markup.line(fields.get("school", "") or fields.get("institution", "")),
        notes=tuple(filter(None, [markup.paragraphs(fields.get("note", ""))])),
    )


def _fields(said: str) -> Mapping[str, str]:
    from bibtexparser.entrypoint import parse_string  # slow, and few repositories need it
    from bibtexparser.middlewares import LatexDecodingMiddleware

    library = parse_string(said)
    if len(library.entries) != 1:
        raise FormatError(f"its detail has {len(library.entries)} entries of BibTeX, not one")
    decoded = LatexDecodingMiddleware(allow_inplace_modification=False).transform(library)
    plain, fields = (
        {name: str(field.value) for name, field in one.entries[0].fields_dict.items()}
        for one in (library, decoded)
    )
    return fields | {name: plain[name].replace(r"\_", "_") for name in _VERBATIM if name in plain}


def _people(said: str, role: str = "") -> tuple[Name, ...]:
    """`and` stands between names; what is a question mark was a letter that BibTeX has no word for."""
    found = (names.person(one.strip(), role) for one in said.split(" and ") if "?" not in one)
    return tuple(one for one in found if one)


def _identifiers(fields: Mapping[str, str]) -> tuple[Identifier, ...]:
    said = [fields.get("doi", ""), *(f"{kind}:{fields[kind]}" for kind in ("issn", "isbn") if kind in fields)]
    found = (recognise(one) for one in said if one)
    return tuple(dict.fromkeys(Identifier(*one) for one in found if one and one[0] != "url"))


def _first(known: tuple[Identifier, ...], scheme: str) -> str:
    return next((one.value for one in known if one.scheme == scheme), "")
