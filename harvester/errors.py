"""Everything that can go wrong, in one tree.

WindrowError                     exit 1
├── ConfigError                  exit 2   config.toml, all its faults at once
├── QueryError                   exit 2   a query that means nothing, with the place of the fault
├── NotFound                     exit 1   no such source, no such record
├── Ambiguous                    exit 2   several records answer to one short identifier
├── TransportError               exit 1   no usable HTTP answer
│   ├── Unreachable              nothing answers at that address
│   ├── Untrusted                the host cannot prove who it is: its certificate, its TLS
│   ├── RedirectRefused          in a circle, to no address on the web, or into a private network
│   ├── TimedOut                 the answer did not come, or not fast enough
│   ├── OddHeaders               headers beyond any measure, or an answer that is not HTTP
│   ├── BrokenBody               the body was cut
│   │   └── BrokenCoding         its compression lies, or has no end
│   ├── TooLarge                 the body passes its cap
│   ├── HttpStatus               an answer with a status that is no success
│   ├── Blocked                  a guard, a login or a law stands before the repository
│   └── Deferred                 exit 3   the repository told us to come later
├── ResponseError                exit 1   an answer that is not an OAI-PMH response
│   ├── NotOaiPmh                another kind of document (HTML, a feed, nothing)
│   ├── MalformedXml             XML that does not parse strictly to its end
│   └── EndlessList              a list that goes in a circle, or on without records
├── ProtocolError                exit 1   an OAI-PMH error, one class for each code
│   ├── BadVerb, BadArgument, BadResumptionToken, CannotDisseminateFormat, IdDoesNotExist,
│   ├── NoRecordsMatch, NoMetadataFormats, NoSetHierarchy
│   └── UnknownErrorCode         a code that the specification does not have
├── AlreadyServed                exit 3   another process serves this data folder
├── NotTold                      exit 1   news that reached nobody, or not everybody
├── SearchBusy                   exit 3   another process prints what is new of this saved search
├── MachineFault                 exit 1   no memory, no space: what the machine lacks
├── FormatError                  exit 1   metadata that no format can read
├── StoreError                   exit 1
│   ├── StoreTooNew              written by a later Windrow
│   ├── StoreReplaced            another one lies in its place
│   ├── StoreUnusable            no space, no permission, damaged
│   ├── SourceBusy               exit 3   another process harvests this source
│   └── LeaseLost                exit 3   another process took this source over
└── IndexFault                   exit 1
    ├── IndexMissing             not built yet
    ├── IndexUnusable            another version's, another store's, or damaged
    │   └── IndexDamaged         found damaged while it was written
    └── IndexBusy                exit 3   another process writes it
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager


class WindrowError(Exception):
    """What went wrong, to which thing and why; `advice` is what to do next."""

    exit_code = 1

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice


class ConfigError(WindrowError):
    """`problems` holds one sentence for each fault, its key first."""

    exit_code = 2

    def __init__(self, message: str, problems: Sequence[str] = (), advice: str = "") -> None:
        super().__init__(message, advice)
        self.problems = tuple(problems)


class QueryError(WindrowError):
    """`place` is the offset of the fault in `query`, in characters."""

    exit_code = 2

    def __init__(self, message: str, query: str, place: int, advice: str = "") -> None:
        super().__init__(message, advice)
        self.query = query
        self.place = place


class AlreadyServed(WindrowError):
    exit_code = 3


class NotTold(WindrowError):
    pass


class SearchBusy(WindrowError):
    exit_code = 3


class NotFound(WindrowError):
    pass


class Ambiguous(WindrowError):
    exit_code = 2


class TransportError(WindrowError):
    pass


class Unreachable(TransportError):
    pass


class Untrusted(TransportError):
    pass


class RedirectRefused(TransportError):
    pass


class TimedOut(TransportError):
    pass


class OddHeaders(TransportError):
    pass


class BrokenBody(TransportError):
    pass


class BrokenCoding(BrokenBody):
    pass


class TooLarge(TransportError):
    pass


class HttpStatus(TransportError):
    """`retry_after` is in seconds, where the repository named it."""

    retry_after: float | None = None

    def __init__(self, message: str, status: int, advice: str = "") -> None:
        super().__init__(message, advice)
        self.status = status


class Blocked(TransportError):
    """Asking again at once only makes it worse."""

    def __init__(self, message: str, status: int, advice: str = "") -> None:
        super().__init__(message, advice)
        self.status = status


class Deferred(TransportError):
    """`seconds` is how long the repository asked us to stay away."""

    exit_code = 3

    def __init__(self, message: str, seconds: float, advice: str = "") -> None:
        super().__init__(message, advice)
        self.seconds = seconds


class ResponseError(WindrowError):
    pass


class NotOaiPmh(ResponseError):
    pass


class MalformedXml(ResponseError):
    pass


class EndlessList(ResponseError):
    pass


class ProtocolError(WindrowError):
    """OAI-PMH 2.0, section 3.6. `code` is the repository's own."""

    def __init__(self, message: str, code: str, advice: str = "") -> None:
        super().__init__(message, advice)
        self.code = code


class BadVerb(ProtocolError):
    pass


class BadArgument(ProtocolError):
    pass


class BadResumptionToken(ProtocolError):
    pass


class CannotDisseminateFormat(ProtocolError):
    pass


class IdDoesNotExist(ProtocolError):
    pass


class NoRecordsMatch(ProtocolError):
    pass


class NoMetadataFormats(ProtocolError):
    pass


class NoSetHierarchy(ProtocolError):
    pass


class UnknownErrorCode(ProtocolError):
    pass


# The repository stands, and what was asked cannot be had of it: other requests may fare better.
NO_ANSWER = (BrokenBody, HttpStatus, OddHeaders, ProtocolError, ResponseError, TimedOut, TooLarge)


class MachineFault(WindrowError):
    pass


def machine_fault(error: OSError | MemoryError) -> MachineFault:
    if isinstance(error, MemoryError):
        lack, remedy = "this machine has no memory left", "end other programs"
    else:
        lack, remedy = f"the system refused: {error.strerror or error}", "is the disk full? See to it"
    return MachineFault(lack, f"{remedy}, then run the same command again: nothing stored is lost")


@contextmanager
def machine_faults_told() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:  # whoever reads our output has enough
        raise
    except (OSError, MemoryError) as error:
        raise machine_fault(error) from error


class FormatError(WindrowError):
    pass


class StoreError(WindrowError):
    pass


class StoreTooNew(StoreError):
    pass


class StoreReplaced(StoreError):
    pass


class StoreUnusable(StoreError):
    pass


class SourceBusy(StoreError):
    exit_code = 3


class LeaseLost(StoreError):
    exit_code = 3


class IndexFault(WindrowError):
    pass


class IndexMissing(IndexFault):
    pass


class IndexUnusable(IndexFault):
    pass


class IndexDamaged(IndexUnusable):
    pass


class IndexBusy(IndexFault):
    exit_code = 3
