"""Every sample under samples/FORMAT/NAME.xml becomes exactly the record in NAME.json."""

from pathlib import Path

import msgspec
import pytest
from lxml import etree

from harvester.errors import FormatError
from harvester.formats import normalise
from harvester.record import Record

SAMPLES = Path(__file__).parent / "samples"
DC = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'
WRAPPER = f'xmlns="http://www.openarchives.org/OAI/2.0/oai_dc/" {DC}'


def samples() -> list[Path]:
    return [path for form in ("oai_dc", "eprints") for path in sorted((SAMPLES / form).glob("*.xml"))]


def read(xml: str) -> Record:
    return normalise(etree.fromstring(xml))


@pytest.mark.parametrize("path", samples(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_sample_becomes_its_record(path: Path) -> None:
    record = normalise(etree.parse(path).getroot())
    assert record.formats == (path.parent.name,)
    expected = msgspec.json.decode(path.with_suffix(".json").read_bytes())
    assert msgspec.json.decode(msgspec.json.encode(record)) == expected


@pytest.mark.parametrize("path", samples(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_no_sample_gives_a_contact_away(path: Path) -> None:
    said = msgspec.json.encode(normalise(etree.parse(path).getroot())).decode()
    assert "@" not in said
    assert "960001" not in said


def test_an_unknown_document_is_named() -> None:
    with pytest.raises(FormatError, match="mods"):
        read('<mods xmlns="http://www.loc.gov/mods/v3"/>')


@pytest.mark.parametrize(
    "xml",
    [
        f"<dc {WRAPPER}/>",
        f"<dc {WRAPPER}><dc:title>  </dc:title><!-- nothing --></dc>",
        '<eprints xmlns="http://eprints.org/ep2/data/2.0"/>',
        '<eprint xmlns="http://eprints.org/ep2/data/2.0"><rev_number>3</rev_number></eprint>',
    ],
)
def test_a_document_with_nothing_in_it_is_refused(xml: str) -> None:
    with pytest.raises(FormatError, match="empty metadata"):
        read(xml)


def test_a_list_of_references_is_no_record() -> None:
    """EPrints' oai_bibl comes in the wrapper of oai_dc."""
    with pytest.raises(FormatError, match="oai_bibl"):
        read(f"<dc {WRAPPER}><dc:relation>Mower (1987) On scythes</dc:relation></dc>")


def test_several_eprints_are_not_one_record() -> None:
    with pytest.raises(FormatError, match="2 eprints"):
        read('<eprints xmlns="http://eprints.org/ep2/data/2.0"><eprint/><eprint/></eprints>')


def test_comments_and_instructions_are_not_fields() -> None:
    record = read(f"<dc {WRAPPER}><?php echo?><!-- x --><dc:title>Hay</dc:title></dc>")
    assert record == Record(formats=("oai_dc",), title="Hay")


def test_a_foreign_element_keeps_its_name() -> None:
    record = read(f'<dc {WRAPPER}><dc:title>Hay</dc:title><x:colour xmlns:x="urn:x">green</x:colour></dc>')
    assert record.extra == {"colour": ("green",)}


def test_two_authors_of_one_name_stay_two() -> None:
    name = "<dc:creator>Wang, Y.</dc:creator>"
    assert len(read(f"<dc {WRAPPER}>{name}{name}</dc>").creators) == 2


@pytest.mark.parametrize(
    ("said", "container", "volume", "issue", "pages"),
    [
        ("Journal of Hay; Vol. 3 No. 2 (2015); 12-20", "Journal of Hay", "3", "2", "12-20"),
        ("Journal of Hay, 3(2), 12-20, (2015-06-30)", "Journal of Hay", "3", "2", "12-20"),
        ("Journal of Hay", "Journal of Hay", "", "", ""),
        ("https://example.org/hay", "", "", "", ""),
        ("Progress in Hay, 66, pp 239-270, 2013", "", "", "", ""),
    ],
)
def test_a_source_that_is_a_container(said: str, container: str, volume: str, issue: str, pages: str) -> None:
    record = read(f"<dc {WRAPPER}><dc:title>T</dc:title><dc:source>{said}</dc:source></dc>")
    assert (record.container, record.volume, record.issue, record.pages) == (container, volume, issue, pages)
