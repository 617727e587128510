"""A record of the list and its detail → one record, field by field, by the table below. Pure.

An EPrints3 XML is all that the repository knows, so it wins where it says anything. What stands in for it
(oai_openaire, BibTeX) has gone through another's hands: it fills what the list leaves empty.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from harvester.clean import text
from harvester.record import File, Name, Record

Rule = Callable[[Any, Any], Any]

_WHOLE = "eprints"  # the format of a detail that knows all


def merged(listed: Record, detail: Record) -> Record:
    """What is replaced is the same thing, said worse; the stored forms keep it."""
    wins, rules = (_detail_wins, _OF_ALL) if _WHOLE in detail.formats else (_list_wins, _OF_SOME)
    fields = {
        field: rules.get(field, wins)(getattr(listed, field), getattr(detail, field)) for field in _CONTENT
    }
    fields["year"] = detail.year if fields["date"] == detail.date else listed.year
    return Record(**fields, extra=_extra(listed, detail))


def _detail_wins(listed: Any, detail: Any) -> Any:
    return listed if detail in _EMPTY else detail


def _list_wins(listed: Any, detail: Any) -> Any:
    return detail if listed in _EMPTY else listed


def _united(listed: Iterable[Any], detail: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys((*listed, *detail)))


def _more_precise(listed: str, detail: str) -> str:
    """`2021-03` says all that `2021` says; of two others the detail's is the work's own."""
    return listed if not detail or listed.startswith(detail) else detail


def _told_kind(listed: str, detail: str) -> str:
    return detail if detail not in ("", "other") else listed or detail


def _people_of_detail(listed: tuple[Name, ...], detail: tuple[Name, ...]) -> tuple[Name, ...]:
    """Unless the list has more of them."""
    return _numbered(listed if len(listed) > len(detail) else detail, (*listed, *detail))


def _people_of_list(listed: tuple[Name, ...], detail: tuple[Name, ...]) -> tuple[Name, ...]:
    return _numbered(listed or detail, detail)


def _numbered(people: tuple[Name, ...], said: Iterable[Name]) -> tuple[Name, ...]:
    """With the ORCIDs that are said of people of the same name."""
    numbers = {one.name.casefold(): one.orcid for one in said if one.orcid}
    return tuple(
        one if one.orcid else msgspec.structs.replace(one, orcid=numbers.get(one.name.casefold(), ""))
        for one in people
    )


def _files(listed: tuple[File, ...], detail: tuple[File, ...]) -> tuple[File, ...]:
    """By their addresses, each with what either says of it."""
    known = {one.url: one for one in listed}
    told = (_file(known[one.url], one) if one.url in known else one for one in detail)
    return _united((), (*told, *(one for one in listed if one.url not in {file.url for file in detail})))


def _file(listed: File, detail: File) -> File:
    return File(
        **{
            field: _detail_wins(getattr(listed, field), getattr(detail, field))
            for field in File.__struct_fields__
        }
    )


def _extra(listed: Record, detail: Record) -> Mapping[str, tuple[str, ...]]:
    """Subjects of the detail are codes, where the list has them in words."""
    extra = {
        field: text.unique((*listed.extra.get(field, ()), *detail.extra.get(field, ())))
        for field in (*listed.extra, *(one for one in detail.extra if one not in listed.extra))
    }
    unsaid = [one for one in detail.subjects if not any(said.startswith(one) for said in listed.subjects)]
    if listed.subjects and unsaid:
        extra["subjects"] = text.unique((*extra.get("subjects", ()), *unsaid))
    return extra


_EMPTY: tuple[Any, ...] = ("", (), None)
_CONTENT = tuple(
    field
    for field in Record.__struct_fields__
    if field not in ("id", "source", "identifier", "datestamp", "sets", "deleted", "year", "extra")
)
# The others: title, abstract, keywords, container, volume, issue, pages, publisher, issn, isbn, doi, license,
# divisions, funders, event, institution, status, citation, peer_reviewed, landing_url, official_url,
# deposited_by, deposited, modified.
_OF_EITHER: Mapping[str, Rule] = {
    "formats": _united,
    "alternative_titles": _united,
    "subjects": _list_wins,
    "raw_types": _united,
    "languages": _united,
    "identifiers": _united,
    "files": _files,
    "rights": _united,
    "notes": _united,
    "relations": _united,
}
_OF_ALL: Mapping[str, Rule] = {
    **_OF_EITHER,
    "creators": _people_of_detail,
    "contributors": _people_of_detail,
    "type": _told_kind,
    "date": _more_precise,
}
_OF_SOME: Mapping[str, Rule] = {**_OF_EITHER, "creators": _people_of_list, "contributors": _people_of_list}
