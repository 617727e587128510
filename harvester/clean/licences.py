"""Licences: what providers write → an SPDX identifier or a licence URI; "" for what names none."""

import re
from collections.abc import Iterable
from functools import lru_cache

_CC_URI = re.compile(
    r"creativecommons\.org/licenses/([a-z-]+)/(\d\.\d)(?:/([a-z]{2,3}|igo)(?=[/\s]|$))?", re.I
)
_CC_ZERO_URI = re.compile(r"creativecommons\.org/publicdomain/zero/1\.0", re.I)
_CC_MARK_URI = re.compile(r"creativecommons\.org/publicdomain/mark/1\.0", re.I)
_CC_CODE = re.compile(r"cc[_ -](by(?:[_ -](?:nc|nd|sa)){0,2})(?:[_ -](\d(?:\.\d)?))?", re.I)
_CC_URI_BARE = re.compile(r"https?://creativecommons\.org/licenses/([a-z-]+)/?", re.I)
_CC_SHORT = re.compile(r"\bCC[ -](BY(?:-(?:NC|ND|SA)){0,2})[ -](\d\.\d)\b", re.I)
_CC_WORDS = re.compile(
    r"(?:creative commons[:,]?\s+)?attribution"
    r"((?:[-\s,]+(?:non[-\s]?commercial|share[-\s]?alike|no[-\s]?deriv\w*))*)"
    r"\s+(\d\.\d)(?:\s+(?:international|unported|generic))?(?:\s+(?:public\s+)?licen[cs]e)?[\s.]*(?:\(.*\))?",
    re.I,
)
_CC_IN_PROSE = re.compile(
    r"creative commons attribution((?:[-\s]+(?:non-?commercial|share-?alike|no-?deriv\w*))*)\s+(\d\.\d)\b",
    re.I,
)
_CC_IN_BRACKETS = re.compile(r"creative commons\b.{0,120}?\((?:cc[- ])?(by(?:-(?:nc|nd|sa)){0,2})\)", re.I)
_OPEN_SOURCE_URI = re.compile(
    r"(?:opensource\.org/licen[cs]es?|spdx\.org/licenses)/([A-Za-z0-9.+-]+?)(?:\.html)?/?", re.I
)
_SCHEME = re.compile(r"https?://(?:www\.)?", re.I)

# By their whole text, in lower case. The EPrints codes are those of its stock `licenses` list.
_NAMED = {
    "cc_public_domain": "CC-PDDC", "creativecommons.org/licenses/publicdomain": "CC-PDDC",
    "cc_gnu_gpl": "GPL-2.0-only", "cc_gnu_lgpl": "LGPL-2.1-only",
    "cc0": "CC0-1.0", "cc_0": "CC0-1.0", "cc0_1": "CC0-1.0", "cc0 1.0": "CC0-1.0", "cc-0": "CC0-1.0",
    "cc0-1.0": "CC0-1.0", "cc0 1.0 universal": "CC0-1.0",
    "creative commons zero v1.0 universal": "CC0-1.0",
    "arxiv.org/licenses/nonexclusive-distrib/1.0": "https://arxiv.org/licenses/nonexclusive-distrib/1.0/",
    "mit": "MIT", "mit license": "MIT", "apache-2.0": "Apache-2.0", "apache license 2.0": "Apache-2.0",
    "apache.org/licenses/license-2.0": "Apache-2.0", "apache.org/licenses/license-2.0.txt": "Apache-2.0",
    "bsd 3-clause clear license": "BSD-3-Clause-Clear", "bsd 3-clause license": "BSD-3-Clause",
    "gnu general public license v3.0 only": "GPL-3.0-only",
    "gnu general public license v3.0 or later": "GPL-3.0-or-later",
    "gnu.org/licenses/gpl-3.0": "GPL-3.0-only", "gnu.org/licenses/gpl-3.0.html": "GPL-3.0-only",
    "opendatacommons.org/licenses/by/1-0": "ODC-By-1.0", "opendatacommons.org/licenses/odbl/1-0": "ODbL-1.0",
}  # fmt: skip
# SPDX keeps the case of its identifiers; addresses do not.
_SPDX = {name.lower(): name for name in (
    "MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MPL-2.0", "GPL-2.0-only", "GPL-3.0-only",
    "GPL-3.0-or-later", "LGPL-2.1-only", "LGPL-3.0-only", "AGPL-3.0-only", "AGPL-3.0-or-later", "EUPL-1.2",
    "ECL-2.0", "Unlicense",
)}  # fmt: skip
_SPDX |= {
    "gpl-2.0": "GPL-2.0-only",
    "gpl-3.0": "GPL-3.0-only",
    "lgpl-3.0": "LGPL-3.0-only",
    "agpl-3.0": "AGPL-3.0-only",
}


def choose(values: Iterable[str]) -> str:
    return next(filter(None, map(licence, values)), "")


@lru_cache(maxsize=4096)
def licence(text: str) -> str:
    """Prose counts if the licence is all it says, or an address or full name of one is in it."""
    text = " ".join(text.split())
    bare = _SCHEME.sub("", text, count=1).rstrip("/.")
    return _NAMED.get(bare.lower(), "") or _open_source(bare) or _creative_commons(text)


def _open_source(bare: str) -> str:
    match = _OPEN_SOURCE_URI.fullmatch(bare)
    return _SPDX.get(match[1].lower(), "") if match else ""


def _creative_commons(text: str) -> str:
    if "metadat" in text.lower():  # GESIS licenses its metadata in the same field
        return ""
    if match := _CC_URI.search(text):
        return _cc(match[1], match[2], (match[3] or "").lower())
    if _CC_ZERO_URI.search(text):
        return "CC0-1.0"
    if _CC_MARK_URI.search(text):
        return "https://creativecommons.org/publicdomain/mark/1.0/"
    if match := _CC_CODE.fullmatch(text) or (_CC_SHORT.search(text) if len(text) < 200 else None):
        return _cc(match[1], match[2] or "")
    if match := _CC_URI_BARE.fullmatch(text):
        return _cc(match[1], "")
    if match := _CC_WORDS.fullmatch(text):
        return _cc(_elements(match[1]), match[2])
    if match := _CC_IN_PROSE.search(text):  # Maryland's archives
        return _cc(_elements(match[1]), match[2])
    match = _CC_IN_BRACKETS.search(text)  # the Portuguese society's journal
    return _cc(match[1], "") if match else ""


def _elements(words: str) -> str:
    low = words.lower()
    return "by" + "".join(
        f"-{code}" for code, word in (("nc", "non"), ("sa", "share"), ("nd", "deriv")) if word in low
    )


def _cc(elements: str, version: str, place: str = "") -> str:
    """SPDX for the international ones, the canonical address for a country's own.

    EPrints 3.3 says `cc_by` without a version, and so do we: an address, for SPDX has no name for that.
    """
    parts = set(re.split(r"[-_ ]", elements.lower()))
    name = "-".join(code for code in ("by", "nc", "nd", "sa") if code in parts)
    if "by" not in parts or not parts <= {"by", "nc", "nd", "sa"}:
        return ""
    if not version:
        return f"https://creativecommons.org/licenses/{name}/"
    version = version if "." in version else f"{version}.0"
    if place:
        return f"https://creativecommons.org/licenses/{name}/{version}/{place}/"
    return f"CC-{name.upper()}-{version}"
