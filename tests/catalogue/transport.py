"""T: what happens below HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext

import trustme

from harvester.report import Report
from harvester.transport import Trust
from tests.catalogue.arranging import ends, once_and_for_ever, proven, strikes, together
from tests.catalogue.trial import Row, Trial
from tests.fakes.clock import FakeClock
from tests.fakes.faults import BY_ROW, free_port, oai_error, offset, sent
from tests.fakes.repository import Answer, Asked, Fault
from tests.fakes.rig import Rig, rigged
from tests.fakes.works import Works


def _gone(trial: Trial) -> None:
    """By another address, which is read from its beginning."""
    trial.watermark = None
    trial.rig.change_source(url=f"http://127.0.0.1:{free_port()}/oai")


def _keeps_all(trial: Trial, report: Report) -> None:
    ends("failed", "refused", requests=3)(trial, report)
    trial.proved(trial.rig.repository.log == [])
    assert len(trial.rig.live) == 50
    trial.rig.change_source(url=trial.rig.repository.url)


def _drips(clock: FakeClock) -> Fault:
    """A byte a second, which meets no timeout of a read."""

    def parts() -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n"
        for _ in range(100):
            clock.advance(1)
            yield b"<"

    return lambda _asked, answer: replace(answer, framing="wire", parts=parts())


def _dripping(trial: Trial) -> None:
    once_and_for_ever(_drips(trial.rig.clock))(trial)


def _broken_gzip(asked: Asked, answer: Answer) -> Answer:
    if "gzip" not in asked.headers["Accept-Encoding"]:
        return answer
    return replace(
        answer, body=b"\x1f\x8b\x08junk", coding="", headers=answer.headers | {"Content-Encoding": "gzip"}
    )


def _is_asked_without(trial: Trial, report: Report) -> None:
    proven()(trial, report)
    assert trial.rig.repository.log[-1].headers["Accept-Encoding"] == "identity"


def _at_once(trial: Trial, report: Report) -> None:
    _is_asked_without(trial, report)
    assert trial.blows[-1].landed == 1


def _in_brotli(_asked: Asked, answer: Answer) -> Answer:
    body = b"\x8b\x02\x80" + answer.body[:100]
    return replace(answer, body=body, coding="", headers=answer.headers | {"Content-Encoding": "br"})


def _takes_no_other_coding(trial: Trial, report: Report) -> None:
    proven()(trial, report)
    trial.strike(_in_brotli)
    ends("failed", "not asked for")(trial, trial.harvest())


@contextmanager
def _with_tls(folder: Path, clock: FakeClock) -> Iterator[Rig]:
    """Its certificate is from an authority of its own, which the rig is told to believe."""
    authority, context = trustme.CA(), SSLContext(PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(folder / "ca.pem")
    with rigged(folder, Works(50, clock.now), clock, context) as rig:
        rig.trust = {"127.0.0.1": Trust("test", str(folder / "ca.pem"))}
        yield rig


def _is_refused_untold(trial: Trial) -> None:
    rig = trial.rig
    told, rig.trust = rig.trust, {}
    ends("failed", "cannot prove who it is")(trial, trial.harvest())
    trial.proved(rig.repository.log == [])
    rig.trust = told


def _nodes(trial: Trial) -> None:
    """Every answer comes over a connection of its own; one token meets a node that does not know it."""
    trial.strike(sent(framing="close"))
    trial.strike(oai_error("badResumptionToken"), offset(30), times=1)


def _slow(trial: Trial) -> None:
    trial.strike(sent(midway=lambda: trial.rig.clock.advance(240)))


ROWS = (
    Row("T01", "is gone for good", _gone, _keeps_all, harvested=True),
    Row("T02", "sends a byte a second", _dripping, proven("had to be read in parts")),
    Row("T03", "resets the connection", once_and_for_ever(BY_ROW["T03"]), proven()),
    Row("T04", "cuts the body, of no stated length", once_and_for_ever(BY_ROW["T04"]), proven()),
    Row(
        "T05",
        "cuts the gzip stream, and states that length",
        once_and_for_ever(BY_ROW["T05"]),
        _is_asked_without,
    ),
    Row("T06", "states more bytes than it sends", once_and_for_ever(BY_ROW["T06"]), proven()),
    Row("T07", "sends gzip and does not say so", strikes(BY_ROW["T07"]), proven()),
    Row(
        "T08",
        "says gzip, and it is plain or broken",
        together(strikes(BY_ROW["T08"], offset(10)), strikes(_broken_gzip, offset(20))),
        _at_once,
    ),
    Row("T09", "compresses twice, or as nobody asked", strikes(BY_ROW["T09"]), _takes_no_other_coding),
    Row("T10", "has a certificate that nobody knows", _is_refused_untold, proven(), stand=_with_tls),
    Row("T11", "sends headers beyond any measure", once_and_for_ever(BY_ROW["T11"]), proven()),
    Row("T12", "is several nodes, of which one does not know the token", _nodes, proven(received=80)),
    Row("T13", "takes minutes for each page", _slow, proven()),
)
