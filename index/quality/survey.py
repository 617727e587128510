"""What is counted of each record."""

from collections import Counter

from harvester.record import HEADER, Record
from index.quality.tally import Repeats, Tally

FIELDS = tuple(field for field in Record.__struct_fields__ if field not in (*HEADER, "formats"))
WARNING = "warning"  # in `extra`: what the format could not be sure of


class Survey:
    """`unknown`, by kind; `extra`, by the repository's own name of the field."""

    def __init__(self, today: str, dois: Repeats) -> None:
        self._today = today
        self._dois = dois
        self.records = 0
        self.filled: Counter[str] = Counter()
        self.with_orcid = 0
        self.types: Counter[str] = Counter()
        self.languages: Counter[str] = Counter()
        self.years: Counter[int] = Counter()
        self.faults = Tally()
        self.warnings = Tally()
        self.extra = Tally()
        self.unknown = {"types": Tally(), "languages": Tally(), "licences": Tally()}

    def take(self, record: Record) -> None:
        self.records += 1
        self._count_fields(record)
        for fault in _faults(record, self._today):
            self.faults.add(fault, record.id)
        for kind, values in _not_understood(record).items():
            for value in dict.fromkeys(values):
                self.unknown[kind].add(value, record.id)
        for field, values in record.extra.items():
            if field == WARNING:
                for value in values:
                    self.warnings.add(value, record.id)
            else:
                self.extra.add(field, record.id)
        if record.doi:
            self._dois.add(record.doi.lower(), record.id)

    def _count_fields(self, record: Record) -> None:
        self.filled.update([field for field in FIELDS if (value := getattr(record, field)) or value is False])
        self.with_orcid += any(name.orcid for name in record.creators)
        if record.type:
            self.types[record.type] += 1
        self.languages.update(record.languages)
        if record.year is not None:
            self.years[record.year] += 1


def _faults(record: Record, today: str) -> list[str]:
    found = {
        "without_title": not record.title,
        "without_creators": not record.creators,
        "without_link": not (record.landing_url or record.official_url or record.files or record.doi),
        "without_keywords": not (record.keywords or record.subjects),
        "without_type": not (record.type or record.raw_types),
        "without_language": not (record.languages or "language" in record.extra),
        "without_licence": not (record.license or record.rights or any(one.license for one in record.files)),
        "without_date": not record.date,
        "without_abstract": not record.abstract,
        "dated_in_future": record.date > today[: len(record.date)],
        "warned": WARNING in record.extra,
    }
    unknown = _not_understood(record)
    return [*(fault for fault, is_so in found.items() if is_so), *(f"unknown_{kind}" for kind in unknown)]


def _not_understood(record: Record) -> dict[str, tuple[str, ...]]:
    """Kind → values, as the repository writes them."""
    licensed = record.license or any(file.license for file in record.files)
    found = {
        "types": () if record.type else record.raw_types,
        "languages": tuple(record.extra.get("language", ())),
        "licences": () if licensed else record.rights,
    }
    return {kind: values for kind, values in found.items() if values}
