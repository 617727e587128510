"""One work of the sample repository, in EPrints' own field names."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from harvester.datestamp import format_datestamp, parse_datestamp
from index.demo.vocabulary import division_path, set_spec, subject_path

ARCHIVE = "windrow.example"
_NEVER = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Item:
    """Only `eprintid` has to be there; a test's record may be as short as that."""

    fields: Mapping[str, Any]

    def text(self, name: str) -> str:
        return str(self.fields.get(name) or "")

    def several(self, name: str) -> list[Any]:
        return list(self.fields.get(name) or [])

    @property
    def number(self) -> int:
        return int(self.fields["eprintid"])

    @property
    def identifier(self) -> str:
        return f"oai:{ARCHIVE}:{self.number}"

    @property
    def uri(self) -> str:
        return self.text("uri") or f"https://{ARCHIVE}/id/eprint/{self.number}"

    @property
    def deleted(self) -> bool:
        return self.text("eprint_status") == "deletion"

    @property
    def changed(self) -> datetime:
        return parse_datestamp(self.text("lastmod")) or _NEVER

    @property
    def datestamp(self) -> str:
        return format_datestamp(self.changed)

    @property
    def set_specs(self) -> list[str]:
        return [
            *(set_spec("status", [code]) for code in [self.text("ispublished")] if code),
            *(set_spec("subjects", subject_path(code)) for code in self.several("subjects")),
            *(set_spec("types", [code]) for code in [self.text("type")] if code),
            *(set_spec("divisions", division_path(code)) for code in self.several("divisions")),
        ]

    def file_url(self, document: Mapping[str, Any]) -> str:
        return f"{self.uri}/{document['pos']}/{quote(str(document['main']))}"


def person(name: Mapping[str, str]) -> str:
    return ", ".join(part for part in (name.get("family", ""), name.get("given", "")) if part)
