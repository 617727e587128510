"""Elements of an OAI-PMH answer by the names of the specification, and by what providers make of those.

Only children are looked at, never descendants: metadata may hold elements of the same names (FAULTS X21).
"""

from collections.abc import Iterator

from lxml import etree

OAI = "{http://www.openarchives.org/OAI/2.0/}"
_NAMESPACE = OAI.strip("{}")
# What some providers write for it; of OAI-PMH 1.1, and of what nobody has seen, nothing is taken.
_SECURE = _NAMESPACE.replace("http:", "https:")
_VARIANTS = frozenset({"", _NAMESPACE.rstrip("/"), _SECURE, _SECURE.rstrip("/")})
_FOREIGN = frozenset({"metadata", "about", "description", "setdescription"})
_MOST_DIGITS = 18


def children(parent: etree._Element, name: str) -> list[etree._Element]:
    """All of that name; only where there is none, those that are written in another case."""
    wanted = OAI + name
    return parent.findall(wanted) or [
        child for child in documents(parent) if child.tag.lower() == wanted.lower()
    ]


def first_child(parent: etree._Element, name: str) -> etree._Element | None:
    found = parent.find(OAI + name)
    return found if found is not None else next(iter(children(parent, name)), None)


def attribute(element: etree._Element, name: str) -> str:
    """ "" where there is none of that name, in whatever case."""
    value = element.get(name)
    if value is None:
        named = (str(said) for key, said in element.items() if str(key).lower() == name.lower())
        value = next(named, "")
    return value.strip()


def documents(parent: etree._Element) -> Iterator[etree._Element]:
    """Its children that are elements: no comments, no processing instructions."""
    return (child for child in parent if isinstance(child.tag, str))


def string_value(element: etree._Element | None) -> str:
    """Without outer white space. `.text` alone stops at a comment or a CDATA border (FAULTS X16)."""
    if element is None:
        return ""
    text = element.text if len(element) == 0 else "".join(map(str, element.itertext()))
    return (text or "").strip(" \t\r\n")


def number(text: str) -> int | None:
    """A count of plain digits that a database can hold; None for all else (FAULTS Z17, Z18)."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None


def adopt(root: etree._Element) -> None:
    """Gives the envelope the namespace of OAI-PMH 2.0 where it has a known variant of it (FAULTS X13).

    What is inside of metadata, about and descriptions is not the envelope's, and is not touched.
    """
    name = etree.QName(root.tag)
    namespace = name.namespace or ""
    if name.localname == "OAI-PMH" and namespace in _VARIANTS:
        _rename(root, f"{{{namespace}}}" if namespace else "")


def _rename(element: etree._Element, variant: str) -> None:
    local = element.tag.removeprefix(variant)
    element.tag = OAI + local
    if local.lower() in _FOREIGN:
        return
    for child in documents(element):
        if child.tag.startswith(variant) and (variant or not child.tag.startswith("{")):
            _rename(child, variant)
