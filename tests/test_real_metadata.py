"""Every real document of ../shared/data: it is read, nothing that it says is lost, and twice is the same.

`python -m tests.test_real_metadata` lists what is lost, by format and element.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import msgspec
import pytest
from lxml import etree
from lxml.etree import _Element

from harvester.clean import dates, languages, latex, markup, text, types
from harvester.errors import FormatError
from harvester.formats import normalise
from harvester.identifiers import recognise
from harvester.record import TYPES, Record

DATA = Path(__file__).parents[2] / "shared" / "data"
FOLDERS = ("responses", "eprints", "eprints-server", "formats")
METADATA = "{http://www.openarchives.org/OAI/2.0/}metadata"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the real metadata is not there: ../shared/data is no part of a clone"
)

# Elements whose texts are not the work's facts, whatever stands in them; and why.
NOT_OURS = {
    # Contact data of persons.
    "email", "electronicmailaddress", "contactemail", "cntemail", "cntvoice", "cntfax", "voice", "facsimile",
    "deliverypoint", "phone", "mbox", "userid", "submitter", "emailaddress", "username",
    "telephonenumber", "contact_email",
    # How a container is built, and the licence between depositor and repository (EPrints' METS).
    "objecttype", "metshdr", "rightsmd", "techmd", "sourcemd", "digiprovmd", "structmap", "amdsec",
    # The full text, other works, and figures in JATS; the corresponding author's address.
    "body", "back", "sub-article", "response", "corresp", "counts", "floats-group", "xref",
    "object-id",
    # By whom, when and how the description was made, not the work (MODS, MARC).
    "recordcreationdate", "recordchangedate", "recordorigin", "descriptionstandard", "languageofcataloging",
    "extension",
    # What the machine of an EPrints keeps: numbers of its tables, moments, hashes, thumbnails.
    "eprintid", "rev_number", "eprint_status", "dir", "status_changed", "metadata_visibility", "fileinfo",
    "item_issues", "item_issues_count", "suggestions", "reviewer", "sword_depositor", "sword_slug",
    "edit_lock", "edit_lock_user", "edit_lock_since", "edit_lock_until", "hide_record", "importid",
    "referencetext", "fileid", "datasetid", "objectid", "filename", "mtime", "hash", "hash_type", "docid",
    "pos", "placement", "main", "contact", "creators_id", "security",
    # How DataCite's wrapper is built.
    "datacentresymbol", "schemaversion", "isreferencequality",
}  # fmt: skip
# Within one format only, by (format, element).
NOT_OURS_IN = {
    ("didl", "modified"), ("didl", "identifier"), ("eprints", "id"), ("eprints", "format"),
    ("mods", "roleterm"), ("mets", "roleterm"), ("didl", "roleterm"),  # "author" is among the creators
}  # fmt: skip
# MARC fields by which libraries run their catalogues, and subfields that say whose authority file it is.
MARC_MACHINE = re.compile(r"00[3-8]|035|04[0-29]|33[678]|852|866|9\d\d")
MARC_CODES = set("0123568")
# Said by a field of the record in other words.
SAID = {
    "item is not available",
    "none",
    "<none>",
    "n/a",
    "null",
    "unspecified",
    "-",
    ":unav",
    "peerreviewed",
    "nonpeerreviewed",
    "other",  # of licences (Caltech)
    "[s.l. : s.n.]",
    ".",
    # DataCite's words for the description that follows
    "seriesinformation",
    "tableofcontents",
    "methods",
    "technicalinfo",
}
BESIDE = re.compile(
    r"<https?://[^>\s]*>|\(?\b\d{4}\??(?:\s*-\s*(?:\d{4})?)?\)?\.?$|^abstract:?"
    r"|\b(?:prof|dr|mrs?|ms|rev)\.\s*|\(author\)$|\babstract$|^cont\.|^citation",
    re.I,
)
REFUSALS = re.compile(r"empty metadata|only dc:relation|no format reads <(?:html|p|error)>")
SPLIT = re.compile(r"[;,\n/|()\[\]]|\s-\s|--|\sand\s|: ")


def parsed(path: Path) -> _Element | None:
    """Pages that do not parse are another test's."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        return etree.fromstring(path.read_bytes(), parser)
    except etree.XMLSyntaxError:
        return None


@lru_cache(maxsize=1)
def documents() -> tuple[tuple[str, _Element], ...]:
    return tuple(
        (f"{path.relative_to(DATA)}", document)
        for folder in FOLDERS
        for path in sorted((DATA / folder).rglob("*.xml"))
        if (root := parsed(path)) is not None
        for document in in_response(root)
    )


def in_response(root: _Element) -> Iterator[_Element]:
    """What is in each <metadata>; a file that is no response is a document itself, if it is metadata."""
    found = [child for one in root.iter(METADATA, "metadata") for child in list(one)[:1]]
    name = etree.QName(root).localname
    if found:
        yield from found
    elif name == "eprints":
        yield from root
    elif name not in ("OAI-PMH", "web-app", "html", "record", "Repository", "response"):
        yield root


@lru_cache(maxsize=1)
def records() -> tuple[tuple[str, _Element, Record], ...]:
    found = []
    for path, document in documents():
        try:
            found.append((path, document, normalise(document)))
        except FormatError:
            continue
    return tuple(found)


def squashed(said: str) -> str:
    plain = markup.without_markup(markup.without_markup(said))
    plain = unicodedata.normalize("NFKC", text._EMAIL.sub(" ", text.mended(plain))).casefold()
    return "".join(letter for letter in plain if letter.isalnum())


def strings(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for one in value.values():
            yield from strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)
    elif value is not None:
        yield str(value)


def said_in(document: _Element, form: str) -> Iterator[tuple[str, str]]:
    """(element, text) of each text value, but those that are not the work's facts."""
    name = etree.QName(document).localname
    if is_not_ours(document, name.lower(), form):
        return
    for piece in (document.text, *(child.tail for child in document)):
        if piece and piece.strip():
            yield name, piece.strip()
    for child in document:
        yield from said_in(child, form)


def is_not_ours(element: _Element, name: str, form: str) -> bool:
    if form == "marcxml":
        tag, code = element.get("tag", ""), element.get("code", "")
        return bool(MARC_MACHINE.fullmatch(tag)) or code in MARC_CODES or name == "leader"
    if element.get("type") == "date" and name == "namepart":  # of life
        return True
    if form == "eprints" and name in ("type", "uri"):  # of a relation or a document
        return (parent := element.getparent()) is not None and not parent.tag.endswith("}eprint")
    if name == "document" and form == "eprints":
        return b"isVolatileVersionOf" in etree.tostring(element)
    return name in NOT_OURS or (form, name) in NOT_OURS_IN


def lost(document: _Element, record: Record) -> Iterator[tuple[str, str]]:
    told = msgspec.json.decode(msgspec.json.encode(record))
    hay = "|".join(map(squashed, strings(told)))
    for form in record.formats[:1]:
        for name, said in said_in(document, form):
            if not (squashed(said) in hay or is_told(said, record, hay)):
                yield name, said


def is_told(said: str, record: Record, hay: str) -> bool:
    said = markup.without_markup(said)
    return (
        said.lower() in SAID
        or said.startswith("http://eprints.org/relation/")
        or all(squashed(BESIDE.sub("", part.strip())) in hay for part in SPLIT.split(said))
        or squashed(latex.plain(said)) in hay
        or is_name(said, record)
        or is_date(said, record)
        or is_language(said, record)
        or is_known(said, hay)
        or is_container(said, record)
        or says_a_file(said, record)
    )


def is_name(said: str, record: Record) -> bool:
    """`Ann Mower` beside its parts is `Mower, Ann`."""
    words = set(said.split())
    return any(
        words == {*one.family.split(), *one.given.split()} for one in (*record.creators, *record.contributors)
    )


def is_date(said: str, record: Record) -> bool:
    """`2021-03-01T08:00:00Z` is `2021-03`; a moment is written otherwise than EPrints does."""
    read = dates.read(said).date
    moments = f"{record.deposited} {record.modified}".replace("T", " ")
    return bool(read and read == record.date) or said in moments


def is_language(said: str, record: Record) -> bool:
    known = {*record.languages, *(one.language for one in record.files)}
    return bool(codes := languages.codes([said])) and set(codes) <= known


def is_container(said: str, record: Record) -> bool:
    """`Cuizine ; vol. 6 no. 2 (2015)` is journal, volume and number."""
    parts = (record.container, record.volume, record.issue, record.date[:4])
    return bool(record.container and record.volume) and all(part in said for part in parts)


def is_known(said: str, hay: str) -> bool:
    """A number in its costume is canonical in the record; "Smith, J., 1932-" has lost his life dates."""
    found = recognise(said)
    without = BESIDE.sub("", said)
    return bool(found and squashed(found[1]) in hay) or (without != said and squashed(without) in hay)


def says_a_file(said: str, record: Record) -> bool:
    """A licence's code, a version's, a file's access: each has a word of the record's."""
    from harvester.clean import licences
    from harvester.formats import rioxx

    facts = {fact for one in record.files for fact in (one.license, one.version, one.access)}
    known = {licences.licence(said), rioxx._VERSIONS.get(said, ""), types.read((said,)).version}
    return bool((known - {""}) & facts)


def test_only_what_is_no_metadata_is_refused() -> None:
    refusals = [said for _, document in documents() if (said := refusal(document))]
    assert [said for said in refusals if not REFUSALS.search(said)] == []


def refusal(document: _Element) -> str:
    try:
        normalise(document)
    except FormatError as error:
        return error.message
    return ""


def test_what_says_something_becomes_a_record() -> None:
    read = {id(document) for _, document, _ in records()}
    for path, document in documents():
        only_references = all("relation" in name for name, _ in said_in(document, "oai_dc"))
        assert id(document) in read or only_references or is_empty(document), path


def is_empty(document: _Element) -> bool:
    said = {one.lower() for _, one in said_in(document, "")}
    return not said - SAID or etree.QName(document).localname in ("html", "p")


def test_nothing_is_lost() -> None:
    found = [(path, *one) for path, document, record in records() for one in lost(document, record)]
    assert not found[:20]


def test_twice_is_the_same() -> None:
    for path, document, record in records():
        assert normalise(document) == record, path


def test_a_type_is_of_the_list_and_a_date_of_a_calendar() -> None:
    for path, _, record in records():
        assert record.type in ("", *TYPES), path
        assert re.fullmatch(r"(?:\d{4}(?:-\d\d(?:-\d\d)?)?)?", record.date), path
        assert record.year == (int(record.date[:4]) if record.date else None), path


def test_no_mail_address_gets_out() -> None:
    for path, _, record in records():
        told = strings(msgspec.json.decode(msgspec.json.encode(record)))
        assert not [said for said in told if text._EMAIL.search(said)], path


def counted(found: Iterable[tuple[str, str, str]]) -> None:
    lines = Counter((form, name) for form, name, _ in found)
    for (form, name), number in lines.most_common(60):
        shown = [said[:90] for one, other, said in found if (one, other) == (form, name)][:3]
        print(number, form, name, shown)  # noqa: T201


if __name__ == "__main__":
    every = records()
    print(len(documents()), "documents,", len(every), "records,", Counter(one.formats for *_, one in every))  # noqa: T201
    counted(
        [("/".join(record.formats), *one) for _, document, record in every for one in lost(document, record)]
    )
