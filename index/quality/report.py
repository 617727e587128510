"""A source's records, each looked at once → Quality."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import islice

import msgspec
from sqlalchemy.engine import Connection

from harvester.store import Store, originals, quarantine, records, sources
from index.quality.findings import Finding, findings
from index.quality.survey import FIELDS, Survey
from index.quality.tally import EXAMPLES, Counted, Valued, repeats

_MOST = 20  # values of a kind
_TOLD_EVERY = 500  # records


class Filled(msgspec.Struct, frozen=True):
    """`share` of all records, 0 to 1."""

    records: int
    share: float


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """What `windrow quality --json` prints. `records` are the live ones; "creators.orcid": any has one.

    `quarantine` has the reasons; `unknown` the commonest values that were not understood, by kind; `extra`
    the commonest fields with no place in the record; `findings` what is wrong, the worst first.
    """

    source: str
    records: int
    deleted: int
    quarantined: int
    fields: Mapping[str, Filled]
    types: Mapping[str, int]
    languages: Mapping[str, int]
    years: Mapping[int, int]
    quarantine: tuple[Valued, ...]
    warnings: tuple[Valued, ...]
    repeated_dois: tuple[Valued, ...]
    unknown: Mapping[str, tuple[Valued, ...]]
    extra: tuple[Valued, ...]
    findings: tuple[Finding, ...]


def quality(
    source: str,
    store: Store,
    now: datetime,
    on_progress: Callable[[int], None] = lambda _done: None,
) -> Quality:
    """Of one snapshot of the store. A source that was never harvested has no records."""
    with store.read() as connection, repeats() as dois:
        survey = Survey(now.date().isoformat(), dois)
        for record in records.live(connection, source):
            survey.take(record)
            if survey.records % _TOLD_EVERY == 0:
                on_progress(_TOLD_EVERY)
        return _quality(source, connection, survey, dois.found(_MOST))


def _quality(
    source: str, connection: Connection, survey: Survey, repeated: tuple[int, tuple[Valued, ...]]
) -> Quality:
    state = sources.get(connection, source)
    refused = _in_quarantine(connection, source)
    faults = {
        "quarantined": Counted(state.quarantined if state else 0, _examples(refused)),
        "repaired": Counted(*originals.repaired(connection, source, EXAMPLES)),
        "repeated_doi": Counted(repeated[0], _examples(repeated[1])),
        **{one.value: Counted(one.records, one.examples) for one in survey.faults.commonest()},
    }
    faults = {name: counted for name, counted in faults.items() if counted.records}
    warnings = survey.warnings.commonest(_MOST)
    unknown = {kind: tally.commonest(_MOST) for kind, tally in survey.unknown.items()}
    return Quality(
        source=source,
        records=survey.records,
        deleted=state.tombstones if state else 0,
        quarantined=state.quarantined if state else 0,
        fields=_fields(survey),
        types=dict(survey.types.most_common()),
        languages=dict(survey.languages.most_common()),
        years=dict(sorted(survey.years.items())),
        quarantine=refused,
        warnings=warnings,
        repeated_dois=repeated[1],
        unknown=unknown,
        extra=survey.extra.commonest(_MOST),
        findings=findings(source, survey.records, faults, {**unknown, "warned": warnings}),
    )


def _fields(survey: Survey) -> dict[str, Filled]:
    counts = {field: survey.filled[field] for field in FIELDS} | {"creators.orcid": survey.with_orcid}
    total = survey.records or 1
    return {field: Filled(count, round(count / total, 4)) for field, count in counts.items()}


def _in_quarantine(connection: Connection, source: str) -> tuple[Valued, ...]:
    return tuple(
        Valued(reason, count, tuple(quarantine.identifiers(connection, source, reason, EXAMPLES)))
        for _, reason, count in quarantine.reasons(connection, source)[:_MOST]
    )


def _examples(found: Sequence[Valued]) -> tuple[str, ...]:
    return tuple(islice((id for one in found for id in one.examples if id), EXAMPLES))
