"""The load corpus as records and documents, and as an index that the command line can search."""

from collections.abc import Iterator, Sequence
from itertools import count, islice
from pathlib import Path

import msgspec

from harvester import formats
from harvester.oai.response import read_page
from harvester.record import Record
from index.analysis import words
from index.document import Document, document
from index.generations import Generations
from tests.bench import pages

SOURCE = "load"
_COMMIT_EVERY = 20_000  # as the sync does


def records(limit: int | None = None) -> list[Record]:
    """As the harvest makes them; with keywords, of which the corpus has none."""
    return [
        _record(item.header.identifier, formats.normalise(item.metadata))
        for body in pages.list_pages(limit)
        for item in read_page(body, "ListRecords").items
        if item.metadata is not None
    ]


def _record(identifier: str, bare: Record) -> Record:
    telling = [word for word in words(bare.title) if len(word) > 3]
    keywords = tuple(" ".join(pair) for pair in zip(telling[::2], telling[1::2], strict=False))
    id = f"{SOURCE}/{identifier}"
    return msgspec.structs.replace(bare, id=id, source=SOURCE, identifier=identifier, keywords=keywords)


def documents(of: Sequence[Record], wanted: int) -> Iterator[Document]:
    """`wanted` of them, going over the records again and again; ids differ."""
    once = [document(record, 0) for record in of]
    every = (_again(one, turn) for turn in count() for one in once)
    for position, one in enumerate(islice(every, wanted), 1):
        yield msgspec.structs.replace(one, position=position)


def _again(one: Document, turn: int) -> Document:
    id = f"{one.id}/{turn}" if turn else one.id
    return msgspec.structs.replace(one, id=id, hit=msgspec.structs.replace(one.hit, id=id))


def indexed(place: Path, engine: str, wanted: Iterator[Document]) -> Generations:
    """A folder with config.toml and an index; there is no store, for a search opens none."""
    place.mkdir(parents=True)
    (place / "config.toml").write_text(f'[index]\nengine = "{engine}"\n', encoding="utf-8")
    generations = Generations(place / "data" / "index")
    with generations.rebuilding():
        generation = generations.new(engine, "bench")
        while batch := list(islice(wanted, _COMMIT_EVERY)):
            with generation.engine().session() as session:
                session.put(batch)
                session.commit()
        generations.switch(generation)
    return generations


def size(folder: Path, pattern: str = "**/*") -> int:
    return sum(file.stat().st_size for file in folder.glob(pattern) if file.is_file())
