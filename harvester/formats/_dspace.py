"""DSpace's own fields (`dc.contributor.author`), as its two formats `dim` and `xoai` send them."""

from collections.abc import Iterable
from typing import NamedTuple

from harvester.clean import names
from harvester.formats._facts import Facts, Kind
from harvester.record import Record


class Field(NamedTuple):
    """`name` is element and qualifier: `contributor.author`."""

    schema: str
    name: str
    value: str
    language: str = ""


_TABLE: dict[str, Kind] = {
    "title": "title", "title.alternative": "title", "title.translated": "title",
    "contributor.author": "creator", "creator": "creator", "contributor": "contributor",
    "description.abstract": "abstract", "description": "description", "description.sponsorship": "funder",
    "description.notes": "note", "subject": "subject", "subject.other": "keyword", "type": "type",
    "subject.keyword": "keyword", "subject.keywords": "keyword",
    "date.issued": "date", "date": "date", "date.created": "date", "language": "language",
    "language.iso": "language", "publisher": "publisher", "source": "source", "identifier": "identifier",
    "identifier.uri": "identifier", "identifier.doi": "identifier", "identifier.issn": "identifier",
    "identifier.isbn": "identifier", "identifier.other": "identifier", "identifier.pmid": "identifier",
    "identifier.citation": "citation", "bibliographicCitation": "citation", "relation.uri": "relation",
    "relation": "relation", "relation.isversionof": "identifier", "relation.ispartof": "container",
    "relation.ispartofseries": "relation", "identifier.journal": "container", "source.title": "container",
    "source.volume": "volume", "source.issue": "issue", "rights": "rights", "rights.uri": "rights",
    "rights.license": "rights", "rights.accessrights": "rights", "contributor.department": "division",
    "description.version": "note", "description.department": "division", "publisher.department": "division",
    "degree.grantor": "institution", "degree.department": "division", "status": "status",
    "publisher.name": "publisher", "publisher.institution": "institution",
    "citation.volume": "volume", "citation.issue": "issue", "bibliographicCitation.volume": "volume",
    "bibliographicCitation.issue": "issue", "description.peerreviewed": "note",
}  # fmt: skip
_ROLES = {
    "advisor": "thesis advisor", "supervisor": "thesis advisor", "editor": "editor",
    "illustrator": "illustrator", "translator": "translator", "committeemember": "committee member",
    "referee": "referee",
}  # fmt: skip
# Who submitted it when, with their e-mail addresses; moments of the machine; thumbnails and licence files.
_DROPPED = ("description.provenance", "contributor.email")


def record(form: str, fields: Iterable[Field]) -> Record:
    facts = Facts()
    for field in fields:
        _place(facts, field)
    return facts.record(form)


def _place(facts: Facts, field: Field) -> None:
    element, _, qualifier = field.name.partition(".")
    if field.name in _DROPPED:
        return
    if field.name in _TABLE:
        facts.say(_TABLE[field.name], field.value, field.language)
    elif element == "contributor":
        facts.contributors += names.people([field.value], _ROLES.get(qualifier, qualifier))
    elif element in ("subject", "identifier", "relation", "rights", "type"):
        facts.say(_TABLE[element], field.value, field.language)
    else:
        facts.keep(f"{field.schema}.{field.name}", field.value)
