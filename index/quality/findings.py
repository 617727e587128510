"""What was counted, in plain sentences that somebody can act on, the worst first. Pure."""

from collections.abc import Mapping, Sequence

import msgspec

from index.quality.tally import Counted, Valued

# fault: how bad one such record is beside another's fault; what is said of it.
_SAID = {
    "without_title": (10, "{of} no title"),
    "quarantined": (10, "{count} came and could not be read: `windrow quarantine {source}` says why"),
    "without_link": (8, "{of} neither a page nor a file that one could go to"),
    "without_creators": (6, "{of} no creators"),
    "repeated_doi": (5, "{count} {have} a DOI that another record has, too"),
    "dated_in_future": (4, "{count} {are} dated in the future"),
    "warned": (4, "{count} {have} a warning from reading it{commonest}"),
    "without_date": (4, "{of} no date that could be read"),
    "without_abstract": (3, "{of} no abstract"),
    "without_type": (3, "{of} no type"),
    "unknown_types": (3, "{of} a type that is not understood{commonest}"),
    "without_keywords": (2, "{of} neither keywords nor subjects"),
    "without_language": (2, "{of} no language"),
    "unknown_languages": (2, "{of} a language that is not understood{commonest}"),
    "without_licence": (1, "{of} no licence and no rights"),
    "unknown_licences": (1, "{of} rights that name no licence we know{commonest}"),
    "repaired": (1, "{count} came as broken XML, and had to be repaired"),
}


class Finding(msgspec.Struct, frozen=True):
    """`examples` are ids of records."""

    fault: str
    records: int
    examples: tuple[str, ...]
    sentence: str


def findings(
    source: str,
    total: int,
    faults: Mapping[str, Counted],
    values: Mapping[str, Sequence[Valued]],
) -> tuple[Finding, ...]:
    """Such as: 1,204 of 9,000 records have no abstract. `values` are the commonest, by kind."""
    if not total and not faults:
        return (Finding("empty", 0, (), f"There are no records: `windrow harvest {source}` fetches them."),)
    ranked = sorted(faults, key=lambda fault: (-_SAID[fault][0] * faults[fault].records, fault))
    return tuple(
        Finding(fault, one.records, one.examples, _sentence(source, total, fault, one.records, values))
        for fault, one in ((fault, faults[fault]) for fault in ranked)
    )


def _sentence(
    source: str, total: int, fault: str, records: int, values: Mapping[str, Sequence[Valued]]
) -> str:
    have = "has" if records == 1 else "have"
    count = f"{records:,} record" + ("" if records == 1 else "s")
    return (
        _SAID[fault][1].format(
            source=source,
            count=count,
            of=_of(records, total, have),
            have=have,
            are="is" if records == 1 else "are",
            commonest=_commonest(values.get(fault.removeprefix("unknown_"), ())),
        )
        + "."
    )


def _of(records: int, total: int, have: str) -> str:
    if total == 1:
        return "The one record has"
    return f"All {total:,} records have" if records == total else f"{records:,} of {total:,} records {have}"


def _commonest(values: Sequence[Valued]) -> str:
    return f", most often “{values[0].value}” ({values[0].records:,})" if values else ""
