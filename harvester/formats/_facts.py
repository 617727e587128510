"""What a document says, kind by kind and in its own words, and the record that this makes.

A format says what it finds (`facts.say("title", …)`); which of several is the work's is decided here, once.
What finds no place in the record (a second publisher, an unknown language) is kept in `extra`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from lxml.etree import _Element

from harvester.clean import (
    containers,
    dates,
    descriptions,
    languages,
    licences,
    links,
    markup,
    names,
    text,
    types,
)
from harvester.formats._reading import Reading, language, prose, value
from harvester.identifiers import recognise
from harvester.record import File, Name, Record

Kind = Literal[
    "title", "creator", "contributor", "abstract", "description", "note", "keyword", "subject", "type",
    "date", "language", "publisher", "container", "volume", "issue", "pages", "identifier", "source",
    "relation", "official_url", "format", "rights", "event", "institution", "status", "division", "funder",
    "citation", "deposited_by", "deposited", "modified",
]  # fmt: skip
Table = Mapping[str, Kind]

_NOTHING = {
    "none", "<none>", "n/a", "null", "unspecified", "-", ":unav", "(:unav)", ":none", "(:none)",
    "[s.l. : s.n.]",
}  # fmt: skip
# Bare numbers that only their type makes identifiers, by the costume that says the type.
_COSTUMES = {
    "doi": "doi:", "issn": "issn:", "eissn": "issn:", "pissn": "issn:", "lissn": "issn:", "isbn": "isbn:",
    "pmid": "pmid:", "pmcid": "PMC", "pmc": "PMC", "handle": "https://hdl.handle.net/",
    "hdl": "https://hdl.handle.net/", "arxiv": "arxiv:",
}  # fmt: skip


class Said(NamedTuple):
    """`language` is its xml:lang."""

    text: str
    language: str = ""


def typed(kind: str, number: str) -> str:
    """`0123456789` of type ISBN → `isbn:0123456789`, if that makes it an identifier."""
    if recognise(number):
        return number
    worn = _COSTUMES.get(kind.lower(), "") + number
    return worn if recognise(worn) else number


class Facts:
    def __init__(self) -> None:
        self._said: dict[Kind, list[Said]] = {}
        self.creators: list[Name] = []
        self.contributors: list[Name] = []
        self.files: list[File] = []
        self.peer_reviewed: bool | None = None
        self.licence = ""
        self.kind = ""  # where the format itself is of one kind only, and its word for it is none we know
        self._extra: dict[str, list[str]] = {}

    def say(self, kind: Kind, said: str, tongue: str = "") -> None:
        if said and said.lower() not in _NOTHING:
            self._said.setdefault(kind, []).append(Said(said, tongue))

    def forget(self, kind: Kind) -> None:
        """What the format has read itself, and better."""
        self._said.pop(kind, None)

    def keep(self, field: str, *values: str) -> None:
        """Into `extra`, under the format's own name of the field."""
        self._extra.setdefault(field, []).extend(filter(None, values))

    def fill(self, reading: Reading, table: Table, within: _Element | None = None) -> None:
        for path, kind in table.items():
            for element in reading.take(path, within):
                said = prose(element) if kind == "abstract" and len(element) else value(element)
                self.say(kind, said, language(element))

    def texts(self, kind: Kind) -> list[str]:
        return [said.text for said in self._said.get(kind, ())]

    def lines(self, kind: Kind) -> tuple[str, ...]:
        return text.unique(map(markup.line, self.texts(kind)))

    def end_lists(self, *kinds: Kind) -> None:
        """CONTENTdm ends each value with a semicolon, be it one or a list."""
        for kind in kinds:
            said = self._said.get(kind, [])
            said[:] = [one._replace(text=one.text.rstrip("; ")) for one in said]

    def record(self, form: str, rest: Mapping[str, Sequence[str]] | None = None) -> Record:
        tongues = languages.codes(self.texts("language"))
        found = links.plain(self._fields())
        kind = types.read(self.lines("type"))
        date = self._date()
        title, other_titles = self._title(tongues)
        abstract, notes = self._abstract(tongues)
        subjects, keywords = self._subjects()
        rights = self.lines("rights")
        self._place_source(kind.type)
        return Record(
            formats=(form,),
            title=title,
            alternative_titles=other_titles,
            creators=(*self.creators, *self._people("creator")),
            contributors=(*self.contributors, *self._people("contributor")),
            abstract=abstract,
            keywords=keywords,
            subjects=subjects,
            type=kind.type or self.kind,
            raw_types=kind.raw,
            date=date,
            year=dates.year(date),
            languages=tongues,
            publisher=self._one("publisher"),
            container=self._one("container"),
            volume=self._one("volume"),
            issue=self._one("issue"),
            pages=self._one("pages"),
            issn=found.first("issn"),
            isbn=found.first("isbn"),
            doi=found.first("doi"),
            identifiers=found.identifiers,
            landing_url=found.landing_url,
            official_url=self._one("official_url"),
            files=_merged(self.files, found.files),
            rights=rights,
            license=self.licence or licences.choose(rights) or _only_licence(self.files),
            peer_reviewed=kind.peer_reviewed if self.peer_reviewed is None else self.peer_reviewed,
            event=self._one("event"),
            institution=self._one("institution"),
            status=self._one("status"),
            notes=notes,
            divisions=self.lines("division"),
            funders=self.lines("funder"),
            citation=self._one("citation") or found.citation,
            relations=found.relations,
            deposited_by=self._one("deposited_by"),
            deposited=self._one("deposited"),
            modified=self._one("modified"),
            extra=self._all_extra(rest or {}, found.unplaced),
        )

    def _one(self, kind: Kind) -> str:
        said, *others = self.lines(kind) or ("",)
        self.keep(kind, *others)
        return said

    def _fields(self) -> dict[str, list[str]]:
        """As Dublin Core calls them."""
        kinds: tuple[Kind, ...] = ("identifier", "source", "relation", "format", "rights", "type")
        return {kind: self.texts(kind) for kind in kinds if kind in self._said}

    def _date(self) -> str:
        said = self.texts("date")
        chosen = dates.choose(said).date
        self.keep("date", *(one for one in said if dates.read(one).date != chosen or not chosen))
        return chosen

    def _people(self, kind: Kind) -> tuple[Name, ...]:
        found = names.read(self.texts(kind))
        self.keep("affiliation", *found.affiliations)
        return found.people

    def _title(self, tongues: Sequence[str]) -> tuple[str, tuple[str, ...]]:
        said = in_language(self._said.get("title", ()), tongues)
        titles = text.unique(markup.title(one.text) for one in said)
        return (titles[0], titles[1:]) if titles else ("", ())

    def _abstract(self, tongues: Sequence[str]) -> tuple[str, tuple[str, ...]]:
        """In the record's language; those in others are kept beside."""
        said = in_language(self._said.get("abstract", ()), tongues)
        abstract, *others = text.unique(markup.abstract(one.text) for one in said) or ("",)
        self.keep("abstract", *others)
        notes = text.unique(map(markup.paragraphs, self.texts("note")))
        described = [one.text for one in self._said.get("description", ())]
        if abstract:
            return abstract, text.unique((*notes, *map(markup.paragraphs, described)))
        self.keep("description", *descriptions.unplaced(described))
        abstract, remarks = descriptions.choose(described)
        return abstract, text.unique((*notes, *remarks))

    def _subjects(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        subjects, keywords = text.subjects(self.lines("subject"))
        words = (
            word for one in self.texts("keyword") for word in text.words_list(markup.without_markup(one))
        )
        return subjects, text.unique((*words, *keywords))

    def _place_source(self, kind: str) -> None:
        """dc:source names the journal, where nothing else does; of what is shown, the object or its tape."""
        shown = kind in ("image", "audio", "video")
        for said in self.lines("source"):
            found = None if shown else containers.read(said)
            if found is None or "container" in self._said:
                self.keep("source", *(() if recognise(said) else (said,)))
                continue
            self.keep("source", *((said,) if containers.says_more(said, found) else ()))
            parts: tuple[Kind, ...] = ("container", "volume", "issue", "pages")
            for kind, part in zip(parts, found, strict=True):
                self.say(kind, part)

    def _all_extra(
        self, rest: Mapping[str, Sequence[str]], unplaced: Iterable[str]
    ) -> dict[str, tuple[str, ...]]:
        self.keep("language", *languages.unknown(self.texts("language")))
        self.keep("identifier", *unplaced)
        self.keep("format", *self.texts("format"))
        extra = {field: list(values) for field, values in rest.items()}
        for field, values in self._extra.items():
            extra.setdefault(field, []).extend(values)
        lines = {field: text.unique(map(markup.line, values)) for field, values in extra.items()}
        return {field: values for field, values in lines.items() if values}


def in_language(said: Iterable[Said], tongues: Sequence[str]) -> list[Said]:
    """Those in the record's first language before the others, else as they come (Érudit: fr and en)."""
    return sorted(said, key=lambda one: not tongues or tongues[0] not in languages.codes([one.language]))


def _only_licence(files: Iterable[File]) -> str:
    """Of the work, where all its files have the same."""
    found = {one.license for one in files}
    return found.pop() if len(found) == 1 else ""


def _merged(known: Sequence[File], found: Iterable[File]) -> tuple[File, ...]:
    urls = {one.url for one in known}
    return (*known, *(one for one in found if one.url not in urls))
