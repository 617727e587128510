"""The deterministic repairs of broken XML (FAULTS 2.3). Pure: bytes in, bytes and what was done out.

Each repair has one right answer; where there could be two (a bare `<`), the record is left to quarantine.
Nothing legal is touched: what parses strictly never comes here.
"""

import re
from collections.abc import Iterator
from html.entities import html5
from xml.sax.saxutils import escape

import msgspec

from harvester.errors import MalformedXml

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_LONGEST_JUNK = 64 * 1024
_MOST_BAD_BYTES = 0.01

_START = re.compile(rb"<\?xml\s|<(?:[\w.-]+:)?OAI-PMH[\s>]")
ENVELOPE = re.compile(rb"<(?:[\w.-]+:)?OAI-PMH[\s>]")
_END = re.compile(rb"</(?:[\w.-]+:)?OAI-PMH\s*>")
_HEAD = re.compile(rb"\A(?:\xef\xbb\xbf)?<\?xml\s[^<>]*\?>\s*")
_DECLARATION = re.compile(r"<\?xml\s[^<>]*\?>\s*")
_ENCODING = re.compile(rb"""\A<\?xml\s[^<>]*?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
# Text encodings that providers declare; a codec of any other name is not asked for.
_LEGACY = re.compile(r"iso-?8859-?\d{1,2}|latin-?1|windows-125\d|cp125\d|koi8-[ru]|gbk?|gb2312|gb18030|big5"
                     r"|shift_jis|euc-(?:jp|kr)|us-ascii", re.IGNORECASE)  # fmt: skip
_CDATA, _CDATA_END = "<![CDATA[", "]]>"
# XML 1.0, section 2.2: what is no Char.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NUMERIC = re.compile(r"&#(?:([0-9]{1,10})|[xX]([0-9A-Fa-f]{1,8}));")
_NAMED = re.compile(r"&([A-Za-z][A-Za-z0-9]{1,31});")
_BARE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]+|#x[0-9A-Fa-f]+);)")
_OF_XML = frozenset({"amp", "lt", "gt", "quot", "apos"})
_PREFIX_USED = re.compile(r"<([A-Za-z_][\w.-]*):|\s([A-Za-z_][\w.-]*):[\w.-]+\s*=")
_FIRST_TAG = re.compile(r"<[A-Za-z_][\w.:-]*")

# Prefixes that providers forget to bind, and mean the same everywhere.
_NAMESPACES = {
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "dc": "http://purl.org/dc/elements/1.1/",
    "oai_dc": "http://www.openarchives.org/OAI/2.0/oai_dc/",
    "dcterms": "http://purl.org/dc/terms/",
    "xlink": "http://www.w3.org/1999/xlink",
    "mods": "http://www.loc.gov/mods/v3",
    "marc": "http://www.loc.gov/MARC21/slim",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "edm": "http://www.europeana.eu/schemas/edm/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "ore": "http://www.openarchives.org/ore/terms/",
}


class Repaired(msgspec.Struct, frozen=True):
    """`done` names each kind of repair, in words; empty where nothing had to, or could, be repaired."""

    body: bytes
    done: tuple[str, ...] = ()


def unwrapped(body: bytes) -> Repaired:
    """The document alone, in UTF-8 where its encoding is known; bad bytes in it are left to `repair`.

    MalformedXml where a second document follows it: which of the two is the answer? (FAULTS X09)
    """
    done = []
    start = _start(body)
    if start:
        body = body[start:]
        done.append("text before the document removed")
    end = _END.search(body)
    if end and body[end.end() :].strip():
        if ENVELOPE.search(body, end.end()):
            raise MalformedXml("the answer is two OAI-PMH documents in one", "try again later, or tell it")
        body = body[: end.end()]
        done.append("text after the document removed")
    return Repaired(_as_utf8(body), tuple(done))


def readable(body: bytes) -> bytes:
    """From the document's start on, in an encoding whose `<` is one byte: so that it can be cut."""
    body = body[_start(body) :]
    return _as_utf8(body) if body.startswith(_UTF_16) else body


def repair(part: bytes) -> Repaired:
    """All repairs within a record, or a document. The caller parses strictly again, and only that counts."""
    done: list[str] = []
    text = _decoded(part, done)
    if text is None:
        return Repaired(part)
    whole = _DECLARATION.sub("", text)
    if whole.strip() != text.strip():
        done.append("XML declarations removed")
    joined = "".join(_outside_cdata(whole, done))
    legal = _ILLEGAL.sub("", joined)
    if legal != joined:
        done.append("characters that XML does not allow removed")
    return Repaired(_bound(legal, done).encode("utf-8"), tuple(dict.fromkeys(done)))


def _start(body: bytes) -> int:
    found = _START.search(body[:_LONGEST_JUNK])
    return found.start() if found else 0


def _as_utf8(body: bytes) -> bytes:
    """Without its declaration: what is handed on is UTF-8, or has bytes that are none."""
    declared = _ENCODING.match(body)
    name = declared[1].decode("ascii") if declared else ""
    try:
        if body.startswith(_UTF_16):
            text = body.decode("utf-16")
        elif _LEGACY.fullmatch(name):
            text = body.decode(name)
        else:
            return _HEAD.sub(b"", body)
    except (UnicodeDecodeError, LookupError):
        return _HEAD.sub(b"", body)
    return _DECLARATION.sub("", text, count=1).encode("utf-8")


def _decoded(part: bytes, done: list[str]) -> str | None:
    """As UTF-8, else as what it must be; None for noise.

    What is in a single-byte encoding has no valid UTF-8 letters; what has a few bad bytes has.
    """
    try:
        return part.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    text = part.decode("utf-8", "surrogateescape")
    bad = sum("\udc80" <= letter <= "\udcff" for letter in text)
    good = sum(letter > "\x7f" for letter in text) - bad
    if not good:
        done.append("read as Windows-1252, whatever it declares")
        return part.decode("cp1252", "replace")
    if bad > len(text) * _MOST_BAD_BYTES:
        return None
    done.append("bytes that are no UTF-8 replaced")
    return part.decode("utf-8", "replace")


def _outside_cdata(text: str, done: list[str]) -> Iterator[str]:
    """Piece by piece; a CDATA section without its end is none."""
    at = 0
    while (start := text.find(_CDATA, at)) >= 0 and (end := text.find(_CDATA_END, start)) >= 0:
        yield _with_legal_references(text[at:start], done)
        at = end + len(_CDATA_END)
        yield text[start:at]
    yield _with_legal_references(text[at:], done)


def _with_legal_references(text: str, done: list[str]) -> str:
    if "&" not in text:
        return text
    legal = _NUMERIC.sub(_legal_reference, text)
    named = _NAMED.sub(_character, legal)
    escaped = _BARE_AMPERSAND.sub("&amp;", named)
    if legal != text:
        done.append("references to characters that XML does not allow removed")
    if named != legal:
        done.append("HTML entities replaced by their characters")
    if escaped != named:
        done.append("bare ampersands escaped")
    return escaped


def _legal_reference(match: re.Match[str]) -> str:
    number = int(match[1]) if match[1] else int(match[2], 16)
    legal = number in (9, 10, 13) or 0x20 <= number <= 0xD7FF or 0xE000 <= number <= 0xFFFD
    return match[0] if legal or 0x10000 <= number <= 0x10FFFF else ""


def _character(match: re.Match[str]) -> str:
    """`&nbsp;` and its like are HTML's; what HTML does not know is no entity (`C&EE;92`)."""
    known = None if match[1] in _OF_XML else html5.get(match[1] + ";")
    return match[0] if known is None else escape(known)  # `&LT;` is one of HTML's, too


def _bound(text: str, done: list[str]) -> str:
    """Prefixes that are used and not bound in this part, bound on its first element (FAULTS X11)."""
    used = {first or second for first, second in _PREFIX_USED.findall(text)}
    unbound = [name for name in sorted(used) if name in _NAMESPACES and f"xmlns:{name}" not in text]
    first = _FIRST_TAG.search(text)
    if not unbound or first is None:
        return text
    done.append("unbound prefixes bound: " + ", ".join(unbound))
    bindings = "".join(f' xmlns:{name}="{_NAMESPACES[name]}"' for name in unbound)
    return text[: first.end()] + bindings + text[first.end() :]
