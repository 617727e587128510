"""A title pasted as it is, is no fault and finds its record among the first three."""

import gzip
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from harvester.record import Name, Record
from index.document import document
from index.engine import Engine, Searcher
from index.engines.tantivy import TantivyEngine
from index.search import search

DATA = Path(__file__).parents[2] / "shared" / "data"
TITLE = "{http://purl.org/dc/elements/1.1/}title"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is no part of a clone")


@pytest.fixture(scope="module")
def papers() -> list[Record]:
    with gzip.open(DATA / "acl.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [paper(json.loads(line)) for line in lines]


def paper(work: dict[str, str]) -> Record:
    return Record(
        id=f"acl/{work['id']}",
        title=work["title"],
        abstract=work["abstract"] or "",
        creators=tuple(map(Name, work["authors"])),
        container=work["venue"],
    )


def deposits() -> Iterator[Record]:
    """What the real EPrints server lists, by their titles."""
    titles = {
        title.text.strip(): None
        for page in sorted((DATA / "eprints-server").glob("ListRecords-oai_dc-page*.xml"))
        for title in etree.parse(page).iter(TITLE)
        if title.text
    }
    for number, title in enumerate(titles):
        yield Record(id=f"kar/{number}", title=title)


def built(folder: Path, records: list[Record]) -> Searcher:
    engine: Engine = TantivyEngine(folder)
    engine.create()
    with engine.session() as session:
        session.put(document(record, at) for at, record in enumerate(records, 1))
        session.commit()
    return engine.searcher()


def lost(searcher: Searcher, records: list[Record]) -> list[str]:
    """Titles under which neither the record nor one of the same words comes among the first three."""
    return [
        record.title
        for record in records
        if same(record.title) not in {same(hit.title) for hit in search(searcher, record.title, limit=3).hits}
    ]


def same(title: str) -> str:
    return re.sub(r"[\W_]+", "", title.casefold())


@pytest.mark.slow
def test_every_title_of_an_eprints_server(tmp_path: Path) -> None:
    records = list(deposits())
    assert len(records) > 400
    assert lost(built(tmp_path, records), records) == []


@pytest.mark.slow
def test_titles_of_papers_by_chance_and_those_with_signs(tmp_path: Path, papers: list[Record]) -> None:
    sample = random.Random(5).sample(papers, 1000)
    odd = [one for one in papers if re.search(r"[*~^]|\?\w|\w:\w|[ (][-+]\w|\b(AND|OR|NOT)\b", one.title)]
    asked = [one for one in (*sample, *odd) if same(one.title)]
    some = random.Random(6).sample(papers, 15_000)
    records = list({one.id: one for one in (*asked, *some)}.values())
    assert lost(built(tmp_path, records), asked) == []
