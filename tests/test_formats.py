"""Every sample under samples/FORMAT/NAME.xml becomes exactly the record in NAME.json."""

import ast
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from lxml import etree

from harvester import formats
from harvester.errors import FormatError
from harvester.formats import normalise
from harvester.record import Record

FORMATS = Path(formats.__file__).parent
SAMPLES = Path(__file__).parent / "samples"
DC = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'
WRAPPER = f'xmlns="http://www.openarchives.org/OAI/2.0/oai_dc/" {DC}'


def samples() -> list[Path]:
    return sorted(SAMPLES.glob("*/*.xml"))


def read(xml: str) -> Record:
    return normalise(etree.fromstring(xml))


@pytest.mark.parametrize("path", samples(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_sample_becomes_its_record(path: Path) -> None:
    record = normalise(etree.parse(path).getroot())
    assert path.parent.name in (record.formats[0], "cleaning")
    expected = msgspec.json.decode(path.with_suffix(".json").read_bytes())
    assert msgspec.json.decode(msgspec.json.encode(record)) == expected


@pytest.mark.parametrize("path", samples(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_no_sample_gives_a_contact_away(path: Path) -> None:
    said = msgspec.json.encode(normalise(etree.parse(path).getroot())).decode()
    assert "@" not in said
    assert "960001" not in said


def test_a_web_page_is_no_metadata() -> None:
    with pytest.raises(FormatError, match="no format reads <html>"):
        read("<html><title>Login</title></html>")


def test_each_format_has_four_samples() -> None:
    """And each cleaning rule has one, under its own name."""
    found = Counter(path.parent.name for path in samples())
    files = {path.stem for path in FORMATS.glob("[a-z]*.py")}
    assert {form for form in files if found[form] < 4} == set()


def test_each_format_is_known_to_the_contract_of_imports() -> None:
    contract = (FORMATS.parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    assert [
        path.stem for path in FORMATS.glob("[a-z]*.py") if f'"harvester.formats.{path.stem}"' not in contract
    ] == []


def test_all_formats_are_alike() -> None:
    """First `accepts`, then `normalise`; a container says `unwrap`."""
    for path in FORMATS.glob("[a-z]*.py"):
        names = [
            node.name
            for node in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(node, ast.FunctionDef)
        ]
        public = [name for name in names if not name.startswith("_")]
        assert public in (["accepts", "normalise"], ["accepts", "unwrap"]), path.stem


def test_containers_are_opened_to_a_depth() -> None:
    inside = "<dc:title xmlns:dc='http://purl.org/dc/elements/1.1/'>Hay</dc:title>"
    for _ in range(9):
        inside = f"<mets><dmdSec><mdWrap><xmlData>{inside}</xmlData></mdWrap></dmdSec></mets>"
    with pytest.raises(FormatError, match="more than 4 deep"):
        read(inside)


@pytest.mark.parametrize(
    "xml",
    [
        f"<dc {WRAPPER}/>",
        f"<dc {WRAPPER}><dc:title>  </dc:title><!-- nothing --></dc>",
        '<eprints xmlns="http://eprints.org/ep2/data/2.0"/>',
        '<eprint xmlns="http://eprints.org/ep2/data/2.0"><rev_number>3</rev_number></eprint>',
        '<mods xmlns="http://www.loc.gov/mods/v3"/>',
        '<uketd_dc:uketddc xmlns:uketd_dc="http://naca.central.cranfield.ac.uk/ethos-oai/2.0/"/>',
        '<resource xmlns="http://datacite.org/schema/kernel-4"><titles/><creators/></resource>',
        "<mets/>",
        "<DIDL/>",
        "<somebodys><own> </own></somebodys>",
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
