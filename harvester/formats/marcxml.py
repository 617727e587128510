"""MARC21 in XML (HathiTrust, GPO, most library systems), taken apart by pymarc.

Fields are taken one by one; those that this file does not know are kept under their tag.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lxml import sax  # type: ignore[attr-defined]  # its stubs lack it
from lxml.etree import _Element
from msgspec.structs import replace

from harvester.clean import names, roles, text
from harvester.errors import FormatError
from harvester.formats._facts import Facts, Kind, typed
from harvester.formats._reading import find, local
from harvester.record import Name, Record

if TYPE_CHECKING:
    from pymarc import Field

# Leader, position 6 and 7: the kind of record, and of a text whether it is a part or a serial.
_KINDS = {
    "a": "book", "t": "book", "c": "other", "d": "other", "e": "image", "f": "image", "g": "video",
    "i": "audio", "j": "audio", "k": "image", "m": "software", "r": "other",
}  # fmt: skip
_SUBJECTS = ("600", "610", "611", "630", "647", "648", "650", "651", "690")
_DATES = re.compile(r"\d{4}")
_INITIAL = re.compile(r"(?:\b\w|Jr|Sr)\.$")  # its point stays; that of a card's end goes
_PUNCTUATION = " /:;,="
# Tags whose subfields go to one place: (kind, subfields; "" for all).
_PLAIN: dict[str, tuple[Kind, str]] = {
    "041": ("language", "a"), "111": ("creator", "a"), "246": ("title", "abnp"), "210": ("title", "a"),
    "222": ("title", "ab"), "240": ("title", "ap"), "490": ("relation", "av"), "830": ("relation", "av"),
    "500": ("note", "a"), "504": ("note", "a"), "505": ("note", ""),
    "520": ("abstract", "ab"), "536": ("funder", "a"),
    "518": ("note", ""), "546": ("note", "a"), "590": ("note", "a"), "655": ("type", "a"),
    "300": ("format", ""), "711": ("event", "acd"), "380": ("type", "a"), "530": ("note", ""),
    "580": ("note", "a"), "585": ("note", "a"), "086": ("identifier", "a"),
}  # fmt: skip
# Numbers and codes by which libraries run their catalogues: they are about the record, not about the work.
_MACHINE = (
    "003", "005", "006", "007", "008", "040", "042", "035", "049", "336", "337", "338", "852", "866",
    "901", "902", "949", "950", "955", "974", "994", "998", "999",
)  # fmt: skip


def accepts(element: _Element) -> bool:
    if local(element.tag) not in ("record", "collection"):
        return False
    return bool(find(element, "leader") or find(element, "datafield") or find(element, "record/datafield"))


def normalise(element: _Element) -> Record:
    fields = _fields(element)
    facts = Facts()
    for field in fields:
        _READERS.get(field.tag, _read_other)(facts, field)
    _read_fixed(facts, fields)
    return facts.record("marcxml")


def _fields(element: _Element) -> Sequence["Field"]:
    from pymarc import Field  # a tenth of a second, and few sources speak MARC

    handler = _handler()
    sax.saxify(element, handler)
    if len(handler.records) != 1:
        raise FormatError(f"{len(handler.records)} records in one MARC document")
    record = handler.records[0]
    return [Field("000", data=str(record.leader)), *record.fields]


def _handler() -> Any:
    from pymarc import XmlHandler

    class Handler(XmlHandler):
        """GPO's leaders have lost the spaces before them."""

        def endElementNS(self, name: tuple[str | None, str], qname: str | None) -> None:  # noqa: N802
            if name[1] == "leader":
                self._text = ["".join(self._text).strip().rjust(24)[-24:]]
            super().endElementNS(name, qname)  # type: ignore[no-untyped-call]  # pymarc's handler has no types

    return Handler()  # type: ignore[no-untyped-call]  # pymarc's handler has no types


def _said(field: "Field", codes: str = "") -> str:
    """Its subfields in their order, without the punctuation that cards had between them."""
    found = [one.value.strip() for one in field.subfields if not codes or one.code in codes]
    return " ".join(filter(None, found)).rstrip(_PUNCTUATION)


def _read_other(facts: Facts, field: "Field") -> None:
    if field.tag in _PLAIN:
        kind, codes = _PLAIN[field.tag]
        facts.say(kind, _said(field, codes))
        if codes:
            _keep_others(facts, field, codes)
    elif field.tag not in _MACHINE and not field.control_field:
        facts.keep(field.tag, _said(field))


def _keep_others(facts: Facts, field: "Field", codes: str) -> None:
    left = [one.value.strip() for one in field.subfields if one.code not in codes and one.code.isalpha()]
    facts.keep(field.tag, " ".join(left))


def _read_title(facts: Facts, field: "Field") -> None:
    parts = [_said(field, code) for code in "abnp"]
    title, subtitle, *numbers = parts
    main = ": ".join(filter(None, (title, subtitle)))
    facts.say("title", ". ".join(one.rstrip(".") for one in (main, *numbers) if one))
    _keep_others(facts, field, "abnp")


def _read_creator(facts: Facts, field: "Field") -> None:
    if person := _person(facts, field):
        facts.creators.append(person)


def _read_contributor(facts: Facts, field: "Field") -> None:
    """An added entry is a second author if it says so, or says nothing and is a person's."""
    person = _person(facts, field)
    if person is None:
        return
    if person.role in roles.CREATORS or (not person.role and field.tag == "700"):
        facts.creators.append(replace(person, role=""))
    else:
        facts.contributors.append(person)


def _person(facts: Facts, field: "Field") -> Name | None:
    """Dates of life ($d) stay out of the name; titles of works ($t) are no part of it."""
    role = roles.role(_said(field, "e") or _said(field, "4"))
    numbers = [one.value for one in field.subfields if one.code in "01"]
    facts.keep(field.tag, *filter(None, (_said(field, "t"), _said(field, "u"))))
    number = next((one for one in numbers if "0000-" in one), "").replace("(orcid)", "")
    if field.tag in ("110", "710"):
        return names.body(_said(field, "ab").rstrip("."), role)
    name = _said(field, "abc")
    if not _INITIAL.search(name):
        name = name.rstrip(".")
    found = names.person(f"{name} {number}".strip(), "")
    return replace(found, role=role) if found else None


def _read_imprint(facts: Facts, field: "Field") -> None:
    """264 says by its second indicator which of production, publication and copyright it is."""
    facts.say("publisher", _said(field, "b"))
    if match := _DATES.search(_said(field, "c")):
        facts.say("date", match[0])
    facts.keep(field.tag, _said(field, "a"), _said(field, "c") if _said(field, "c").strip("[]c©. ") else "")


def _read_subject(facts: Facts, field: "Field") -> None:
    """Headings of libraries, their parts between dashes."""
    main = " ".join(one.value.strip() for one in field.subfields if one.code in "abcdqt")
    parts = [one.value.strip() for one in field.subfields if one.code in "vxyz"]
    facts.say("subject", " -- ".join(text.unique([main, *parts])).rstrip("."))


def _read_keyword(facts: Facts, field: "Field") -> None:
    for one in field.subfields:
        if one.code == "a":
            facts.say("keyword", one.value.strip().rstrip(".;,"))


def _read_classification(facts: Facts, field: "Field") -> None:
    facts.keep(field.tag, _said(field))


def _read_number(facts: Facts, field: "Field") -> None:
    """020 ISBN, 022 ISSN, 024 whatever $2 says: "0123456789 (pbk.)" has a remark behind the number."""
    kind = {"020": "isbn", "022": "issn"}.get(field.tag) or _said(field, "2")
    for one in field.subfields:
        if one.code in "al" and (number := one.value.strip()):
            bare, _, remark = number.partition(" (")
            facts.say("identifier", typed(kind, bare.strip(" :")))
            facts.keep(field.tag, f"({remark}" if remark else "")
    _keep_others(facts, field, "al")


def _read_thesis(facts: Facts, field: "Field") -> None:
    """502: whoever writes one, describes a thesis, whatever the leader says."""
    facts.kind = "thesis"
    facts.say("note", _said(field))


def _read_rights(facts: Facts, field: "Field") -> None:
    for one in field.subfields:
        facts.say("rights", one.value.strip() if one.code in "au" else "")
    _keep_others(facts, field, "au")


def _read_host(facts: Facts, field: "Field") -> None:
    """773: the title, what it is related to ($g: volume, issue, pages in a sentence), its numbers."""
    facts.say("container", _said(field, "t") or _said(field, "a"))
    for code, kind in (("x", "issn"), ("z", "isbn")):
        facts.say("identifier", typed(kind, _said(field, code)))
    facts.say("citation", _said(field, "g"))
    _keep_others(facts, field, "taxzgw")


def _read_address(facts: Facts, field: "Field") -> None:
    """$z and $3 are words for readers ("Full text")."""
    for one in field.subfields:
        if one.code == "u":
            facts.say("identifier", one.value.strip())
    facts.keep(field.tag, _said(field, "yz3q"))


def _read_leader(facts: Facts, field: "Field") -> None:
    leader = (field.data or "").ljust(8)
    facts.kind = "article" if leader[6] == "a" and leader[7] == "b" else _KINDS.get(leader[6], "")


def _read_record_number(facts: Facts, field: "Field") -> None:
    facts.keep("001", (field.data or "").strip())


def _read_fixed(facts: Facts, fields: Sequence["Field"]) -> None:
    """008 has year and language in fixed places; each counts where no other field says it."""
    for data in _fixed(fields):
        if not facts.texts("date") and data[7:11].isdecimal():
            facts.say("date", data[7:11])
        if not facts.texts("language") and data[35:38].isalpha():
            facts.say("language", data[35:38])


def _fixed(fields: Sequence["Field"]) -> Iterator[str]:
    return (field.data or "" for field in fields if field.tag == "008")


_READERS: dict[str, Callable[[Facts, "Field"], None]] = {
    "000": _read_leader, "001": _read_record_number, "245": _read_title, "100": _read_creator,
    "110": _read_creator, "700": _read_contributor, "710": _read_contributor, "260": _read_imprint,
    "264": _read_imprint, "653": _read_keyword, "020": _read_number, "022": _read_number,
    "024": _read_number, "502": _read_thesis, "506": _read_rights, "540": _read_rights,
    "773": _read_host, "856": _read_address, "050": _read_classification,
    "082": _read_classification, **dict.fromkeys(_SUBJECTS, _read_subject),
}  # fmt: skip
