"""Train the zstd dictionaries of the store on the bundled sample repository.

    python tools/train_dictionaries.py VERSION

Writes NAME.VERSION.zdict files. A version that was released is never trained again: rows name it.
"""

import sys
from pathlib import Path

import msgspec
import zstandard

from harvester import formats
from harvester.oai.items import Item
from harvester.oai.response import read_page
from index.demo.repository import FORMATS, DemoRepository, sample_records

_FOLDER = Path(__file__).parents[1] / "harvester" / "store" / "dictionaries"
_SIZE = 32 * 1024
# Below 32768 and from 2**31 on, ids belong to zstd's own registry.
_FIRST_ID = 40_000
_NAMES = ("record", *FORMATS)


def main(version: int) -> None:
    items = {prefix: _items(prefix) for prefix in FORMATS}
    samples = {prefix: [item.raw for item in listed] for prefix, listed in items.items()}
    samples["record"] = [
        msgspec.json.encode(formats.normalise(item.metadata))
        for listed in items.values()
        for item in listed
        if item.metadata is not None
    ]
    _FOLDER.mkdir(exist_ok=True)
    for name, texts in samples.items():
        number = _FIRST_ID + version * 100 + _NAMES.index(name)
        dictionary = zstandard.train_dictionary(_SIZE, texts, dict_id=number)
        (_FOLDER / f"{name}.{version}.zdict").write_bytes(dictionary.as_bytes())


def _items(prefix: str) -> list[Item]:
    repository = DemoRepository(sample_records(), page_size=1000)
    body = repository.respond([("verb", "ListRecords"), ("metadataPrefix", prefix)])
    return [item for item in read_page(body, "ListRecords").items if not item.header.deleted]


if __name__ == "__main__":
    main(int(sys.argv[1]))
