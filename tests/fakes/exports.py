"""What an EPrints exports beside OAI-PMH, of the works of the sample repository: single items, and years."""

from collections.abc import Callable

from lxml import etree

from harvester.errors import ProtocolError
from index.demo import render_eprints
from index.demo.item import ARCHIVE, Item
from index.demo.repository import DemoRepository
from tests.fakes.repository import Answer

NOT_FOUND = Answer(b"<html>404</html>", 404)
UNAUTHORIZED = Answer(b"<!DOCTYPE HTML><html><title>401 Unauthorized</title></html>", 401)


class Exports:
    """`has_years`: the view by year. `closed` are the plug-ins that answer 401."""

    def __init__(self, repository: DemoRepository, *closed: str, has_years: bool = True) -> None:
        self._repository = repository
        self._closed = closed
        self._has_years = has_years

    def __call__(self, path: str) -> Answer:
        _, _, kind, _, key, plugin, _ = path.split("/")
        if plugin in self._closed:
            return UNAUTHORIZED
        if kind == "exportview":
            return self._year(key) if self._has_years else NOT_FOUND
        try:
            item = self._repository._find(f"oai:{ARCHIVE}:{key}")
        except ProtocolError:
            return NOT_FOUND
        return _FORMS[plugin](item) if not item.deleted else NOT_FOUND

    def _year(self, year: str) -> Answer:
        root = etree.Element("{http://eprints.org/ep2/data/2.0}eprints")
        for item in self._repository.items:
            if item.text("date").startswith(year) and not item.deleted:
                root.extend(render_eprints.render(item))
        return Answer(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def _xml(item: Item) -> Answer:
    return Answer(etree.tostring(render_eprints.render(item), xml_declaration=True, encoding="UTF-8"))


def _bibtex(item: Item) -> Answer:
    fields = {"title": "title", "keywords": "keywords", "publication": "journal", "date": "year"}
    lines = [f"  {name} = {{{item.text(field)}}}" for field, name in fields.items() if item.text(field)]
    return Answer(",\n".join([f"@misc{{windrow{item.number}", *lines]).encode() + b"\n}\n")


_FORMS: dict[str, Callable[[Item], Answer]] = {"XML": _xml, "BibTeX": _bibtex}
