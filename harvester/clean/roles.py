"""What a person did: MARC's relator codes and addresses → words."""

from functools import lru_cache

# The end of http://www.loc.gov/loc.terms/relators/THS
_RELATORS = {
    "advisor": "thesis advisor", "other": "",  # DSpace
    "ths": "thesis advisor", "edt": "editor", "trl": "translator", "ill": "illustrator", "aut": "author",
    "ctb": "contributor", "pht": "photographer", "cmp": "composer", "prf": "performer", "cnd": "conductor",
    "drt": "director", "pro": "producer", "com": "compiler", "ivr": "interviewer", "ive": "interviewee",
    "res": "researcher", "spk": "speaker", "rev": "reviewer", "dtc": "data contributor",
    "dtm": "data manager", "dgg": "degree grantor", "pbl": "publisher", "cre": "creator", "art": "artist",
    "fnd": "funder", "spn": "sponsor", "opn": "opponent", "dgs": "degree supervisor",
    "prm": "printmaker", "org": "originator", "own": "owner", "col": "collector", "nrt": "narrator",
}  # fmt: skip
CREATORS = {"author", "creator", "artist", "photographer", "composer", "originator"}


@lru_cache(maxsize=1024)
def role(said: str) -> str:
    """`ths`, `http://id.loc.gov/vocabulary/relators/ths` → thesis advisor; other words in lower case."""
    code = said.strip().rstrip("/. ").rsplit("/", 1)[-1].lower()
    return _RELATORS.get(code, code)
