"""The mixed load: queries made of the corpus' own words, the same ones each time."""

from collections.abc import Callable, Sequence
from random import Random

import msgspec

from harvester.record import Record
from index.analysis import words

_SEED = 20_261_123


class Asked(msgspec.Struct, frozen=True):
    kind: str
    query: str
    filters: tuple[str, ...] = ()
    facets: tuple[str, ...] = ()


def mixed(of: Sequence[Record], wanted: int = 500) -> list[Asked]:
    chance = Random(_SEED)
    titled = [record for record in of if len(words(record.title)) > 3]
    weights = [weight for weight, _ in _KINDS]
    made = []
    for _ in range(wanted):
        make = chance.choices([make for _, make in _KINDS], weights)[0]
        made.append(make(chance, chance.choice(titled)))
    return made


def _words(chance: Random, record: Record) -> Asked:
    telling = _long(record)
    some = sorted(chance.sample(range(len(telling)), min(len(telling), chance.randint(1, 4))))
    return Asked("words", " ".join(telling[at] for at in some))


def _phrase(chance: Random, record: Record) -> Asked:
    own = words(record.title)
    length = chance.randint(2, 3)
    at = chance.randrange(len(own) - length)
    return Asked("phrase", f'"{" ".join(own[at : at + length])}"')


def _near(chance: Random, record: Record) -> Asked:
    own = words(record.title)
    at = chance.randrange(len(own) - 3)
    return Asked("phrase with slop", f'"{own[at]} {own[at + 2]}"~{chance.randint(1, 3)}')


def _prefix(chance: Random, record: Record) -> Asked:
    first, *others = chance.sample(_long(record), 1) + chance.sample(_long(record), chance.randint(0, 1))
    return Asked("prefix", " ".join([f"{first[: chance.randint(3, 5)]}*", *others]))


def _fuzzy(chance: Random, record: Record) -> Asked:
    word = max(words(record.title), key=len)
    at = chance.randrange(len(word))
    return Asked("fuzzy", f"{word[:at]}{chance.choice('aeiorst')}{word[at + 1 :]}~")


def _field(chance: Random, record: Record) -> Asked:
    year = record.year or 2010
    name = record.creators[0].family or record.creators[0].name if record.creators else "smith"
    word = chance.choice(_long(record))
    forms = (
        f'author:"{name}"',
        f"title:{word} year:{year - 3}..{year}",
        f"{word} year:[{year} TO *]",
        f"title:({word} OR {chance.choice(_long(record))})",
    )
    return Asked("field", chance.choice(forms))


def _operators(chance: Random, record: Record) -> Asked:
    one, other, third = (chance.choice(_long(record)) for _ in range(3))
    forms = (f"{one} OR {other}", f"({one} OR {other}) AND {third}", f"{one} -{third}x", f"+{one} {other}")
    return Asked("operators", chance.choice(forms))


def _filtered(chance: Random, record: Record) -> Asked:
    filters = chance.choice(((f"year={record.year}",), ("year=2010..2020", "type=conference")))
    return Asked("filter", chance.choice(_long(record)), filters=filters)


def _faceted(chance: Random, record: Record) -> Asked:
    facets = chance.choice((("type", "year"), ("year", "source", "language"), ("type", "publisher")))
    return Asked("facets", chance.choice(_long(record)), facets=facets)


def _title(_chance: Random, record: Record) -> Asked:
    return Asked("title", record.title)


def _long(record: Record) -> list[str]:
    return [word for word in words(record.title) if len(word) > 3] or words(record.title)


_KINDS: tuple[tuple[int, Callable[[Random, Record], Asked]], ...] = (
    (30, _words),
    (12, _phrase),
    (4, _near),
    (10, _prefix),
    (8, _fuzzy),
    (10, _field),
    (6, _operators),
    (8, _filtered),
    (8, _faceted),
    (4, _title),
)
