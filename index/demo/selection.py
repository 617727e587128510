"""What a request may say (OAI-PMH 2.0, sections 3 and 4), and which items a list request means."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode

from harvester.datestamp import Granularity, format_datestamp, parse_datestamp
from harvester.errors import ProtocolError
from index.demo.item import Item

_LISTS = ("ListIdentifiers", "ListRecords")
# Each verb's arguments: those it must have, those it may have.
_ARGUMENTS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Identify": ((), ()),
    "ListMetadataFormats": ((), ("identifier",)),
    "ListSets": ((), ("resumptionToken",)),
    "GetRecord": (("identifier", "metadataPrefix"), ()),
    "ListIdentifiers": (("metadataPrefix",), ("from", "until", "set")),
    "ListRecords": (("metadataPrefix",), ("from", "until", "set")),
}


def bad_argument(message: str) -> ProtocolError:
    return ProtocolError(message, "badArgument")


def bad_token() -> ProtocolError:
    return ProtocolError("This resumption token was not given out here", "badResumptionToken")


def read_arguments(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    if not all(part.isprintable() for pair in pairs for part in pair):
        raise bad_argument("An argument has a character that XML cannot repeat")
    verbs = [value for name, value in pairs if name == "verb"]
    if len(verbs) != 1 or verbs[0] not in _ARGUMENTS:
        raise ProtocolError("One verb, and one of the six, has to be given", "badVerb")
    arguments = dict(pairs)
    if len(arguments) < len(pairs):
        raise bad_argument("An argument is given more than once")
    _check_names(verbs[0], set(arguments) - {"verb"})
    return arguments


def _check_names(verb: str, names: set[str]) -> None:
    if verb in _LISTS and "resumptionToken" in names:
        if names != {"resumptionToken"}:
            raise bad_argument("resumptionToken goes with no other argument")
        return
    required, optional = _ARGUMENTS[verb]
    if missing := set(required) - names:
        raise bad_argument(f"{verb} needs {', '.join(sorted(missing))}")
    if unknown := names - {*required, *optional}:
        raise bad_argument(f"{verb} does not know {', '.join(sorted(unknown))}")


@dataclass(frozen=True)
class Selection:
    """A list request. All of it is in the token, so nothing is remembered between pages."""

    verb: str
    prefix: str
    start: str = ""
    until: str = ""
    set_spec: str = ""
    offset: int = 0

    def token(self, offset: int) -> str:
        return urlencode(asdict(replace(self, offset=offset)))

    def takes(self, item: Item) -> bool:
        return self._in_window(item) and (not self.set_spec or self._in_set(item))

    def _in_window(self, item: Item) -> bool:
        return _first(self.start) <= item.changed.replace(microsecond=0) <= _last(self.until)

    def _in_set(self, item: Item) -> bool:
        wanted = self.set_spec.upper()
        return any(spec == wanted or spec.startswith(f"{wanted}:") for spec in item.set_specs)


def from_arguments(arguments: Mapping[str, str]) -> Selection:
    selection = Selection(
        verb=arguments["verb"],
        prefix=arguments["metadataPrefix"],
        start=arguments.get("from", ""),
        until=arguments.get("until", ""),
        set_spec=arguments.get("set", ""),
    )
    for name in ("from", "until", "set"):
        if arguments.get(name) == "":
            raise bad_argument(f"{name} is empty")
    _check_window(selection)
    return selection


def from_token(arguments: Mapping[str, str]) -> Selection:
    parts = dict(parse_qsl(arguments["resumptionToken"], keep_blank_values=True))
    try:
        selection = Selection(**{**parts, "offset": int(parts["offset"])})  # type: ignore[arg-type]  # the others are text
        _check_window(selection)
    except (KeyError, TypeError, ValueError, ProtocolError):
        raise bad_token() from None
    if selection.verb != arguments["verb"] or selection.offset <= 0:
        raise bad_token()
    return selection


def _check_window(selection: Selection) -> None:
    ends = filter(None, (selection.start, selection.until))
    if len({_granularity(text) for text in ends}) > 1:
        raise bad_argument("from and until differ in granularity")
    if _first(selection.start) > _last(selection.until):
        raise bad_argument("from is later than until")


def _granularity(text: str) -> Granularity:
    moment = parse_datestamp(text)
    for granularity in Granularity:
        if moment and format_datestamp(moment, granularity) == text:
            return granularity
    raise bad_argument(f"{text!r} is no date of the form YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ")


def _first(text: str) -> datetime:
    """An empty end is open."""
    return parse_datestamp(text) or datetime.min.replace(tzinfo=UTC)


def _last(text: str) -> datetime:
    moment = parse_datestamp(text)
    if moment and _granularity(text) is Granularity.DAY:
        return moment.replace(hour=23, minute=59, second=59)
    return moment or datetime.max.replace(tzinfo=UTC)
