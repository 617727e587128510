"""Reading a document of elements: what a format takes has its place, the rest is kept for `extra`.

Paths are local names (`name/namePart`): the same format comes in several namespaces, and in none. A format
takes element by element, so whatever it does not know is left over by itself, and nothing is lost in silence.
"""

from collections.abc import Iterator
from functools import lru_cache

from lxml.etree import QName, _Element

from harvester.clean import markup, text

XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

# Of persons, in the names that formats give it: it stays in the raw form.
_CONTACT = ("email", "e-mail", "phone", "userid", "mailaddress", "mailbox")
_CONTACTS = {"fax", "facsimile", "voice", "username", "mbox", "tel", "deliverypoint", "cntvoice", "cntfax"}
# Blocks of a text: what stands in one is no sentence with what stands in the next.
_BLOCKS = {"p", "title", "sec", "list", "list-item", "label", "br", "div", "li", "ul", "ol", "disp-quote"}


@lru_cache(maxsize=4096)
def local(tag: str) -> str:
    return QName(tag).localname


@lru_cache(maxsize=4096)
def namespace(tag: str) -> str:
    return QName(tag).namespace or ""


@lru_cache(maxsize=4096)
def _pattern(path: str) -> str:
    return "/".join(step if step in (".", "") else f"{{*}}{step}" for step in path.split("/"))


def value(element: _Element | None) -> str:
    """All its text, comments aside."""
    if element is None:
        return ""
    return (str(element.xpath("string()")) if len(element) else element.text or "").strip()


def language(element: _Element) -> str:
    return element.get(XML_LANG) or element.get("lang") or ""


def prose(element: _Element) -> str:
    """Its text with a blank line between blocks, as JATS writes abstracts."""
    return "".join(_parts(element)).strip()


def _parts(element: _Element) -> Iterator[str]:
    yield element.text or ""
    for child in element.iterchildren():
        if isinstance(child.tag, str) and local(child.tag) != "object-id":  # eLife: the abstract's own DOI
            between = "\n\n" if local(child.tag) in _BLOCKS else ""
            yield between
            yield from _parts(child)
            yield between
        yield child.tail or ""


def find(element: _Element, path: str) -> list[_Element]:
    return element.findall(_pattern(path))


def first(element: _Element, path: str) -> str:
    """Only a look: what is said there is not taken."""
    return next(filter(None, map(value, find(element, path))), "")


def is_private(field: str) -> bool:
    """A person's address or number."""
    low = field.lower()
    return low in _CONTACTS or any(word in low for word in _CONTACT)


class Reading:
    """One document, and which of its elements are taken."""

    def __init__(self, root: _Element) -> None:
        self.root = root
        self._taken: set[_Element] = set()

    def take(self, path: str, within: _Element | None = None) -> list[_Element]:
        found = find(self.root if within is None else within, path)
        self._taken.update(found)
        return found

    def drop(self, *paths: str) -> None:
        """What is not the work's: the machine's book-keeping, contact data, full text, other works."""
        for path in paths:
            self.take(path)

    def mark(self, element: _Element) -> None:
        self._taken.add(element)

    def texts(self, path: str, within: _Element | None = None) -> list[str]:
        return [said for said in map(value, self.take(path, within)) if said]

    def text(self, path: str, within: _Element | None = None) -> str:
        """Of the first that says anything; the others are left over."""
        for element in find(self.root if within is None else within, path):
            if said := value(element):
                self._taken.add(element)
                return said
        return ""

    def rest(self) -> dict[str, tuple[str, ...]]:
        """What was not taken, by the local name of its element; one value for each mixed content."""
        found: dict[str, list[str]] = {}
        for field, said in self._rest(self.root):
            found.setdefault(field, []).append(markup.line(said))
        kept = {field: text.unique(values) for field, values in found.items()}
        return {field: values for field, values in kept.items() if values}

    def _rest(self, element: _Element) -> Iterator[tuple[str, str]]:
        if element in self._taken or is_private(local(element.tag)):
            return
        children = list(element.iterchildren("*"))
        if not children or _is_mixed(element):
            yield local(element.tag), "".join(self._left(element))
            return
        for child in children:
            yield from self._rest(child)

    def _left(self, element: _Element) -> Iterator[str]:
        """The text of mixed content, without what was taken or is private inside it."""
        yield element.text or ""
        for child in element.iterchildren():
            inside = isinstance(child.tag, str) and child not in self._taken
            if inside and not is_private(local(child.tag)):
                yield (
                    f" {''.join(self._left(child))} "
                    if local(child.tag) in _BLOCKS
                    else "".join(self._left(child))
                )
            yield child.tail or ""


def _is_mixed(element: _Element) -> bool:
    return bool((element.text or "").strip()) or any((child.tail or "").strip() for child in element)
