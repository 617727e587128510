"""EPrints3 XML (namespace http://eprints.org/ep2/data/2.0): what an EPrints knows and its oai_dc leaves out.

Personal contact data never gets out of here: `id` of a name is an e-mail address, `userid` a person's number.
Subjects and divisions are codes in this form; only the main classes of the Library of Congress are labelled.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from lxml.etree import QName, _Element

from harvester.clean import dates, languages, licences, markup, names, roles, text, types
from harvester.datestamp import format_datestamp, parse_datestamp
from harvester.errors import FormatError
from harvester.identifiers import isbn, issn, orcid, recognise
from harvester.record import File, Identifier, Name, Record

NAMESPACES = {"http://eprints.org/ep2/data/2.0", "http://eprints.org/ep2/data", ""}

_STATUS = {"pub": "published", "inpress": "in press", "submitted": "submitted", "unpub": "unpublished"}
_REFEREED = {"TRUE": True, "FALSE": False}
# Fields of people beside the creators, by the role they say; Caltech's interviewer is plain text.
_ROLES = {
    "editors": "editor", "contributors": "", "thesis_advisor": "thesis advisor",
    "supervisors": "thesis advisor", "thesis_committee": "committee member", "producers": "producer",
    "conductors": "conductor", "lyricists": "lyricist", "exhibitors": "exhibitor",
    "interviewer": "interviewer",
}  # fmt: skip
_CLASSES = {
    "A": "General Works", "B": "Philosophy. Psychology. Religion", "C": "Auxiliary Sciences of History",
    "D": "History General and Old World", "E": "History America",
    "F": "History United States, Canada, Latin America", "G": "Geography. Anthropology. Recreation",
    "H": "Social Sciences", "J": "Political Science", "K": "Law", "L": "Education",
    "M": "Music and Books on Music", "N": "Fine Arts", "P": "Language and Literature", "Q": "Science",
    "R": "Medicine", "S": "Agriculture", "T": "Technology", "U": "Military Science", "V": "Naval Science",
    "Z": "Bibliography. Library Science. Information Resources",
}  # fmt: skip

_PLACED = {
    "title", "alt_title", "creators", "corp_creators", "abstract", "keywords", "subjects", "type",
    "monograph_type", "date", "language", "publisher", "publication", "book_title", "volume", "number",
    "pagerange", "issn", "isbn", "doi", "pmid", "pmc_id", "id_number", "uri", "official_url", "documents",
    "rights", "copyright_statement", "refereed", "event_title", "institution", "ispublished", "note",
    "divisions", "funders", "official_cit", "citation", "related_url", "depositor", "datestamp",
    "lastmod", *_ROLES,
}  # fmt: skip
# How the machine keeps it, and words between depositor and staff.
_NOISE = {
    "eprintid", "rev_number", "eprint_status", "userid", "dir", "status_changed", "metadata_visibility",
    "fileinfo", "item_issues", "item_issues_count", "suggestions", "reviewer", "review_status",
    "sword_depositor", "sword_slug", "edit_lock", "edit_lock_user", "edit_lock_since", "edit_lock_until",
    "hide_record", "importid",
    "referencetext",  # the titles of all works it cites: who looks for one of those means that one
}  # fmt: skip
_CONTACT = {"id", "creators_id", "editors_id", "contact", "fax", "username"}
_VOLATILE = "isVolatileVersionOf"  # thumbnails and the words of a PDF, made by the server

Fields = Mapping[str, _Element]


def accepts(element: _Element) -> bool:
    name = QName(element)
    return name.localname in ("eprints", "eprint") and (name.namespace or "") in NAMESPACES


def normalise(element: _Element) -> Record:
    eprint = _eprint(element)
    return _record(_children(eprint), eprint.get("id", ""))


def _eprint(element: _Element) -> _Element:
    if _local(element.tag) == "eprint":
        return element
    eprints = list(element.iterchildren("{*}eprint"))
    if len(eprints) != 1:
        raise FormatError("empty metadata" if not eprints else f"{len(eprints)} eprints in one document")
    return eprints[0]


def _record(fields: Fields, resource: str) -> Record:
    date = dates.read(_line(fields, "date")).date
    files = _files(fields)
    known = _identifiers(fields)
    raw_types = tuple(filter(None, (_line(fields, "type"), _line(fields, "monograph_type"))))
    return Record(
        formats=("eprints",),
        title=markup.title(_line(fields, "title")),
        alternative_titles=tuple(map(markup.title, _lines(fields, "alt_title"))),
        creators=(*_people(fields, "creators"), *_people(fields, "corp_creators")),
        contributors=tuple(one for field, role in _ROLES.items() for one in _people(fields, field, role)),
        abstract=markup.abstract(_text(fields.get("abstract"))),
        keywords=text.unique(word for one in _texts(fields, "keywords") for word in text.words_list(one)),
        subjects=tuple(map(_subject, _lines(fields, "subjects"))),
        type=types.read(raw_types).type,
        raw_types=raw_types,
        date=date,
        year=dates.year(date),
        languages=languages.codes((*_texts(fields, "language"), *(one.language for one in files))),
        publisher=_line(fields, "publisher"),
        container=_container(fields),
        volume=_line(fields, "volume"),
        issue=_line(fields, "number"),
        pages=_line(fields, "pagerange"),
        issn=_first(known, "issn"),
        isbn=_first(known, "isbn"),
        doi=_first(known, "doi"),
        identifiers=known,
        landing_url=_line(fields, "uri") or resource,
        official_url=_line(fields, "official_url"),
        files=files,
        rights=text.unique(
            (*_lines(fields, "rights"), *_lines(fields, "copyright_statement"), *_other_licences(fields))
        ),
        license=next((one.license for one in files if one.license), ""),
        peer_reviewed=_REFEREED.get(_line(fields, "refereed").upper()),
        event=_line(fields, "event_title"),
        institution=_line(fields, "institution"),
        status=_STATUS.get(_line(fields, "ispublished"), _line(fields, "ispublished")),
        notes=tuple(filter(None, map(markup.paragraphs, _texts(fields, "note")))),
        divisions=_lines(fields, "divisions"),
        funders=_funders(fields),
        citation=_line(fields, "official_cit") or _line(fields, "citation"),
        relations=_related(fields),
        deposited_by=_line(fields, "depositor"),
        deposited=_moment(_line(fields, "datestamp")),
        modified=_moment(_line(fields, "lastmod")),
        extra=_extra(fields),
    )


@lru_cache(maxsize=1024)
def _local(tag: str) -> str:
    return QName(tag).localname


def _children(element: _Element) -> dict[str, _Element]:
    return {_local(child.tag): child for child in element.iterchildren("*")}


def _text(element: _Element | None) -> str:
    return (element.text or "") if element is not None else ""


def _line(fields: Fields, field: str) -> str:
    """A field's text, the first item's if it has several; `<none>` is how Caltech fills in a blank."""
    line = markup.line(next(iter(_texts(fields, field)), ""))
    return "" if line.lower() in ("none", "<none>", "null") else line


def _lines(fields: Fields, field: str) -> tuple[str, ...]:
    return text.unique(map(markup.line, _texts(fields, field)))


def _texts(fields: Fields, field: str) -> list[str]:
    element = fields.get(field)
    if element is None:
        return []
    return [_text(item) for item in element.iterchildren("*")] if len(element) else [_text(element)]


def _items(fields: Fields, field: str) -> list[dict[str, _Element]]:
    element = fields.get(field)
    return [_children(item) for item in element.iterchildren("*")] if element is not None else []


def _people(fields: Fields, field: str, role: str = "") -> tuple[Name, ...]:
    if field not in fields:
        return ()
    said = [_person(item, role) for item in _items(fields, field) if item]
    plain = [names.body(one, role) for one in _texts(fields, field)]
    return tuple(dict.fromkeys(one for one in (*said, *plain) if one))


def _person(item: Fields, role: str) -> Name | None:
    role = role or roles.role(_text(item.get("type")))
    name = item.get("name", item.get("family"))
    if name is None:
        return None
    if _local(name.tag) == "name" and not len(name):
        return names.body(_text(name), role)
    parts = _children(name) if len(name) else item
    family, given, lineage = (_text(parts.get(part)) for part in ("family", "given", "lineage"))
    return names.from_parts(family, given, _text(item.get("orcid")), role, lineage)


def _identifiers(fields: Fields) -> tuple[Identifier, ...]:
    """Of the fields that hold identifiers; an official URL counts where it is a DOI's."""
    said = [one for field in ("doi", "id_number", "official_url", "pmc_id") for one in _texts(fields, field)]
    said += [f"pmid:{one}" for one in _texts(fields, "pmid")]
    known = [found for one in said if (found := recognise(markup.unescape(one))) and found[0] != "url"]
    known += [("issn", number) for one in _texts(fields, "issn") if (number := issn(one))]
    known += [("isbn", number) for one in _texts(fields, "isbn") if (number := isbn(one))]
    return tuple(Identifier(*one) for one in dict.fromkeys(known))


def _first(known: Iterable[Identifier], scheme: str) -> str:
    return next((one.value for one in known if one.scheme == scheme), "")


def _subject(code: str) -> str:
    return f"{code} {_CLASSES[code]}" if code in _CLASSES else code


def _container(fields: Fields) -> str:
    """Caltech has addresses among its publications."""
    names_said = (_line(fields, "publication"), _line(fields, "book_title"))
    return next((one for one in names_said if one and not one.startswith("http")), "")


def _funders(fields: Fields) -> tuple[str, ...]:
    agencies = [_text(item.get("agency")) for item in _items(fields, "funders")]
    return text.unique(map(markup.line, (*_texts(fields, "funders"), *agencies)))


def _related(fields: Fields) -> tuple[str, ...]:
    said = [_text(item.get("url")) for item in _items(fields, "related_url")]
    return text.unique(map(markup.unescape, map(str.strip, (*said, *_texts(fields, "related_url")))))


def _files(fields: Fields) -> tuple[File, ...]:
    documents = map(_children, fields["documents"].iterchildren("*")) if "documents" in fields else ()
    return tuple(
        one for document in documents if not _is_volatile(document) for one in _document_files(document)
    )


def _other_licences(fields: Fields) -> list[str]:
    """Codes of a repository's own licences."""
    documents = [one for one in map(_children, fields.get("documents", ())) if not _is_volatile(one)]
    codes = [code for one in documents if (code := _line(one, "license")) and not licences.licence(code)]
    return [code for code in codes if code != "other"]  # Caltech: of every file


def _is_volatile(document: Fields) -> bool:
    return any(_text(item.get("type")).endswith(_VOLATILE) for item in _items(document, "relation"))


def _document_files(document: Fields) -> list[File]:
    said = File(
        "",
        media_type=_line(document, "mime_type"),
        language=next(iter(languages.codes(_texts(document, "language"))), ""),
        license=licences.licence(_line(document, "license")),
        access=_access(document),
        version=_line(document, "content"),
    )
    return [_file(file, said) for file in _items(document, "files") if _text(file.get("url"))]


def _file(file: Fields, said: File) -> File:
    size = _text(file.get("filesize")).strip()
    return File(
        _text(file.get("url")).strip(),
        media_type=_line(file, "mime_type") or said.media_type,
        size=int(size) if size.isdecimal() else None,
        language=said.language,
        license=said.license,
        access=said.access,
        version=said.version,
    )


def _access(document: Fields) -> str:
    security = _line(document, "security")
    if security == "public":
        return "open"
    return "embargoed" if _line(document, "date_embargo") else "restricted" if security else ""


def _moment(said: str) -> str:
    """`2025-09-25 10:14:33`, in UTC; Caltech's oldest have a day only."""
    moment = parse_datestamp(said)
    if moment and len(said) == len("2004-08-27"):
        return said
    return format_datestamp(moment) if moment else ""


def _extra(fields: Fields) -> dict[str, tuple[str, ...]]:
    placed = _PLACED | _NOISE
    extra = {
        field: _leaves(element)
        for field, element in fields.items()
        if field not in placed and not _is_private(field)
    }
    for field in ("publication", "book_title"):
        extra[field] = tuple(one for one in _lines(fields, field) if one != _container(fields))
    for field, values in _unplaced(fields).items():
        extra[field] = text.unique(map(markup.line, values))
    return {field: values for field, values in extra.items() if values}


def _unplaced(fields: Fields) -> dict[str, list[str]]:
    """Parts of placed fields without a place: grants, a report's or patent's number, embargoes, remarks."""
    documents = [one for one in map(_children, fields.get("documents", ())) if not _is_volatile(one)]
    return {
        "grant_number": [_text(item.get("grant_number")) for item in _items(fields, "funders")],
        "issn": [one for one in _texts(fields, "issn") if not issn(one)],
        "isbn": [one for one in _texts(fields, "isbn") if not isbn(one)],
        "orcid": _false_orcids(fields),
        "related_url": [_text(item.get("description")) for item in _items(fields, "related_url")],
        "id_number": [one for one in _texts(fields, "id_number") if not recognise(one)],
        "date_embargo": [_text(document.get("date_embargo")) for document in documents],
        "formatdesc": [_text(document.get("formatdesc")) for document in documents],
    }


def _false_orcids(fields: Fields) -> list[str]:
    """Those whose last digit proves nothing."""
    said = [_text(item.get("orcid")) for field in ("creators", *_ROLES) for item in _items(fields, field)]
    return [one for one in said if one and not orcid(one)]


def _is_private(field: str) -> bool:
    return field in _CONTACT or any(word in field for word in ("email", "phone", "userid"))


def _leaves(element: _Element) -> tuple[str, ...]:
    """One value for each item, its parts with spaces between; never a person's address or number."""
    items = list(element.iterchildren("*")) or [element]
    return text.unique(markup.line(" ".join(_parts(item))) for item in items)


def _parts(element: _Element) -> list[str]:
    if _is_private(_local(element.tag)):
        return []
    if not len(element):
        return [_text(element)]
    return [part for child in element.iterchildren("*") for part in _parts(child)]
