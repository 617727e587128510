"""Judged test collections: documents, queries, and which of the documents answer a query how well."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from harvester.record import Name, Record

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "ir"
NAMES = ("cranfield", "scifact")


class Collection(msgspec.Struct, frozen=True):
    """`queries` by query; `judged` has grades by query and document, 0 being no answer."""

    name: str
    documents: list[dict[str, Any]]
    queries: dict[str, str]
    judged: dict[str, dict[str, int]]


def collection(name: str) -> Collection:
    folder = FOLDER / name
    queries = dict(_rows(folder / "queries.tsv"))
    judged: dict[str, dict[str, int]] = {}
    for query, document, grade in _rows(folder / "qrels.tsv"):
        judged.setdefault(query, {})[document] = int(grade)
    return Collection(name, list(map(json.loads, _lines(folder))), queries, judged)


def record(document: dict[str, Any]) -> Record:
    return Record(
        identifier=document["id"],
        title=document["title"],
        creators=tuple(Name(name) for name in document["authors"]),
        abstract=document["abstract"],
        keywords=tuple(document.get("keywords", ())),
        citation=document.get("source", ""),
        formats=("oai_dc",),
    )


def _lines(folder: Path) -> Iterator[str]:
    plain = folder / "docs.jsonl"
    with plain.open(encoding="utf-8") if plain.exists() else gzip.open(f"{plain}.gz", "rt") as lines:
        yield from lines


def _rows(path: Path) -> Iterator[list[str]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        yield line.split("\t")
