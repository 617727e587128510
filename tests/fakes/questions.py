"""Documents and queries made by chance, of few words, so that many queries find something.

Every construct of the query language is among them.
"""

import re

from hypothesis import strategies as st

from harvester.record import Name, Record
from index.analysis import words
from index.document import Document, document
from index.fields import FIELDS
from index.nodes import (
    All,
    Any,
    Beside,
    Boosted,
    Everything,
    Exact,
    Fuzzy,
    Has,
    Not,
    Pattern,
    Range,
    Spellings,
    Words,
)

WORDS = [
    "hay", "Hay", "harvest", "harvesting", "harvests", "running", "runs", "ran", "organization", "organ",
    "of", "2019", "été", "ete", "naïve", "co-operative", "cooperative", "operative", "state-of-the-art",
    "farmer's", "O’Brien", "C++", "C*-algebra", "F*R*I", "Straße", "ΣΊΣΥΦΟΣ", "σισυφος", "Ёлка", "مَكْتَبَة",
    "情報検索", "検索", "한국어",
]  # fmt: skip
NAMES = ["Khan, Nagina", "Khan, Bo", "Nagina, Khan", "Müller-Lüdenscheidt, Zoë", "O’Brien, Bo", "Runs, Ann"]
KEYWORDS = [
    "Hay",
    "hay",
    "Hay harvest",
    "HARVEST",
    "été",
    "C++",
    "running",
    "情報",
    "co-operation",
    "[a] .b*",
]
DATES = ["", "2019", "2019-06", "2019-06-30", "2020-01-01", "2021", "0950"]

some = st.sampled_from
texts = st.lists(some(WORDS), min_size=1, max_size=5).flatmap(
    lambda chosen: some([" ", ", ", "-", "; ", " and "]).map(lambda between: between.join(chosen))
)


def several(values: st.SearchStrategy[str], most: int = 3) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(values, max_size=most).map(tuple)


def _record(number: int, date: str, names: tuple[str, ...], **values: object) -> Record:
    fields = {"title": "", "creators": tuple(map(Name, names)), **values}
    year = int(date[:4]) if date else None
    return Record(id=f"s/{number}", identifier=f"oai:s:{number}", source="s", date=date, year=year, **fields)  # type: ignore[arg-type]


records = st.builds(
    _record,
    st.integers(1, 9),
    some(DATES),
    several(some(NAMES)),
    title=texts,
    alternative_titles=several(texts, 2),
    abstract=st.one_of(st.just(""), texts),
    keywords=several(some(KEYWORDS)),
    subjects=several(some(KEYWORDS), 1),
    notes=several(texts, 1),
    type=some(["", "article", "book"]),
    languages=several(some(["en", "de", "cy"]), 2),
    publisher=some(["", "Hay", "Hay & Sons", "hay"]),
    peer_reviewed=some([None, True, False]),
    doi=some(["", "10.1000/hay", "10.1000/oats"]),
)

TEXTUAL = ["title", "abstract", "kw", "su", "creators", "au", "notes", "publisher", "container"]
plain = some(WORDS)
phrases = st.builds(
    '"{}"{}'.format,
    st.lists(plain, min_size=1, max_size=3).map(" ".join),
    some(["", "", "~1", "~2", "~3", "~5"]),
)
wild = some(
    """
    h* ha* har*ing h?y r?n* o*n co-op* coop* c*e été* e?e σισ* ёл?а mull* lüden* brien* مك* 한* 検* st?asse
    20*9 f*r*i c*-alg* state-*
    """.split()
)
fuzzy = some(
    """
    hya~ hay~ ray~ harvst~ harvset~2 runing~1 orgna~2 été~ naïf~ σισυφο~ σισοφο~2 coperative~ kan~ nagian~2
    of~ ели~ مكتب~ o'brien~2
    """.split()
)
word = st.one_of(plain, plain, phrases, wild, fuzzy)
textual = st.builds("{}:{}".format, some(TEXTUAL), st.one_of(word, some(NAMES).map('"{}"'.format)))
exact = st.one_of(
    some([f'keyword:"{value}"' for value in KEYWORDS]),
    some([f'creator_name:"{value}"' for value in NAMES]),
    some(["type:article", "type:BOOK", "lang:en", "lang:(de OR cy)", "refereed:yes", "refereed:false"]),
    some(["oai:s:1", "id:s/2", 'publisher_name:"Hay & Sons"', "source:S", "source:t", "10.1000/HAY."]),
    some(["type:art*", "type:b?ok", "keyword:h*", "keyword:h?y", "creator_name:khan*"]),
    some(["keyword:c+*", "doi:10.1000/*", "id:s/*", "type:artcle~", 'keyword:"hay harvst"~2', "lang:e*"]),
)
present = some(["abstract", "keywords", "creators", "type", "date", "year", "doi", "refereed", "kw"]).map(
    "{}:*".format
)
ends = some(["*", "2019", "2020", "2021", "950"])
days = some(["*", "2019", "2019-06", "2019-06-30", "2020-01", "2021-01-01"])
ranges = st.one_of(
    st.builds("{}:{}{} TO {}{}".format, st.just("year"), some("[{"), ends, ends, some("]}")),
    st.builds("{}:{}{} TO {}{}".format, st.just("date"), some("[{"), days, days, some("]}")),
    st.builds("date:{}..{}".format, days.filter("*".__ne__), days),
    st.builds("year:{}".format, ends),
)
questions = st.recursive(
    st.one_of(word, word, word, textual, exact, ranges, present, st.just("*:*")),
    lambda inner: st.one_of(
        st.builds("{} {}".format, inner, inner),
        st.builds("{} {} {}".format, inner, some(["AND", "OR"]), inner),
        st.builds("{} {}".format, inner, inner),
        st.builds("{}({}){}".format, some(["", "-", "+", "NOT ", "title:"]), inner, some(["", "^2", "^0.5"])),
        st.builds("NOT {}".format, inner),
        st.builds("{} -{}".format, inner, word),
    ),
    max_leaves=6,
)


TERMS = sorted({term for text in (*WORDS, *NAMES, *KEYWORDS) for term in words(text)})
fields = some(["", "", "title", "abstract", "keywords", "creators", "notes"])
wholes = some(["keyword", "creator_name", "type", "identifier", "language"])
terms = some(TERMS)
patterns = st.builds(
    lambda start, rest: re.sub(r"\*+", "*", start + rest),
    st.builds(lambda term, end: term[:end], terms, st.integers(1, 4)),
    st.text("*?aehrnsty.[]+|$σ情", max_size=6),
)
nodes = st.recursive(
    st.one_of(
        st.builds(Words, st.lists(terms, min_size=1, max_size=3).map(tuple), fields, slop=st.integers(0, 9)),
        st.builds(Pattern, patterns, st.one_of(fields, wholes)),
        st.builds(Fuzzy, terms, fields, edits=st.integers(1, 2)),
        st.builds(Fuzzy, some(["arcle", "boook", "10.1000/oat"]), wholes, edits=st.integers(1, 2)),
        st.builds(Exact, wholes, some([one.lower() for one in (*KEYWORDS, *NAMES, "article", "de", "s/1")])),
        st.builds(Has, some([field.name for field in FIELDS])),
        st.builds(Range, some(["year"]), *[st.one_of(st.none(), st.integers(940, 2030))] * 2),
        st.just(Everything()),
    ),
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(Boosted, inner, some([0.0, 0.5, 1.0, 2.5, 100.0])),
        *(st.builds(kind, several(inner)) for kind in (All, Beside, Any, Spellings)),
    ),
    max_leaves=6,
)


def _sample(number: int, title: str, **values: object) -> Document:
    return document(_record(number, "2019-06", ("Khan, Nagina",), title=title, **values), number)


SAMPLE = [
    _sample(1, "hay", keywords=("Hay harvest", "co-operation")),
    _sample(2, "harvesting the state-of-the-art of hay", doi="10.1000/hay", type="article"),
    _sample(3, "", abstract="running organ; été 情報検索 σισυφος", languages=("en",)),
    _sample(4, "co-operative C*-algebra, F*R*I", type="book", peer_reviewed=True),
    document(Record(id="s/5", source="s", identifier="oai:s:5", title="Ёлка مَكْتَبَة wom n 10 1000 x"), 5),
    document(Record(id="s/6", source="s", identifier="oai:s:6", title="a b c"), 6),
]
