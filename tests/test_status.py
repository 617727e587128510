"""How sources stand, as `windrow status` tells people and scripts; `--watch` as a terminal shows it."""

import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from harvester.clock import SystemClock
from harvester.config import Source
from harvester.harvest import harvest
from harvester.record import Record
from harvester.report import Report
from harvester.stopping import Stop
from harvester.store import leases, schedules, sources
from harvester.store.schedules import Due
from harvester.timetable import reckoned_from
from harvester.transport import Transport
from index.cli.overview import overview, progress, totals, urgency
from index.cli.standing import Standing, UnderWay, standings
from index.demo.repository import DemoRepository, sample_records
from index.demo.server import serve
from tests.commands import (
    NOW,
    Ran,
    answering,
    demo_folder,
    inside,
    of_another_version,
    on_terminal,
    point_to,
    program_in,
    put,
    settings,
    sql,
    terminal,
    windrow,
)
from tests.fakes.clock import FakeClock
from tests.fakes.faults import offset, status
from tests.fakes.repository import FakeRepository, serving
from tests.fakes.works import Works
from tests.held import held

Run = Callable[..., Ran]
COLOUR = re.compile(r"\x1b\[\d{1,2}m")
ELSEWHERE = '{"pid": 7, "started": 1790000000.5, "machine": "elsewhere"}'
HTML = b"<html>Log in, please</html>"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return demo_folder(tmp_path)


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    return lambda *arguments: inside(folder, capsys, *arguments)


@pytest.fixture
def repository() -> Iterator[FakeRepository]:
    with serving(Works(60, FakeClock().now, page_size=10)) as repository:
        yield repository


def scheduled(folder: Path, schedule: str) -> None:
    """It was harvested from the same address."""
    with program_in(folder) as program:
        url = program.settings.sources["demo"].url
    point_to(folder, url, schedule=schedule)


def told(run: Run) -> dict[str, Any]:
    (found,) = run("status", "--json").lines
    return found


def of(run: Run, name: str = "demo") -> dict[str, Any]:
    return next(source for source in told(run)["sources"] if source["name"] == name)


# For scripts


def test_json(run: Run) -> None:
    found = told(run)
    assert list(found) == ["sources", "index", "server"]
    (source,) = found["sources"]
    assert list(source) == [
        "name", "url", "records", "deleted", "quarantined", "details_waiting", "last", "in_vain", "next_due",
        "state", "progress", "failures", "failing_since", "schedule", "age_seconds", "rate",
    ]  # fmt: skip
    assert list(source["last"]) == list(Report.__struct_fields__)
    assert (source["name"], source["records"], source["deleted"]) == ("demo", 224, 6)
    assert (source["state"], source["progress"], source["failing_since"]) == ("ok", None, None)
    assert found["index"] == {"engine": "tantivy", "documents": 224, "position": 230, "lag": 0}
    assert found["server"] is None


@pytest.mark.parametrize(
    ("schedule", "due"),
    [
        ("every 6 hours", "2026-06-01T18:00:00Z"),
        ("every 2 days", "2026-06-03T12:00:00Z"),
        ("0 3 * * *", "2026-06-02T02:00:00Z"),  # three o'clock in London's summer
    ],
)
def test_next_due_is_by_the_schedule_and_this_sources_lag(
    run: Run, folder: Path, schedule: str, due: str
) -> None:
    scheduled(folder, schedule)
    settings(folder, '\n[harvest]\ntimezone = "Europe/London"\n[serve]\njitter = "2 minutes"\n')
    sql(folder, "UPDATE harvests SET finished = '2026-06-01T12:00:00Z'")
    found = datetime.fromisoformat(of(run)["next_due"]) - datetime.fromisoformat(due)
    assert timedelta(0) <= found <= timedelta(minutes=2)


def test_what_serve_has_reckoned_holds_as_long_as_the_schedule_and_the_last_run(
    run: Run, folder: Path
) -> None:
    scheduled(folder, "every 6 hours")
    with program_in(folder) as program, program.store.write() as connection:
        last = standings_of(program)["demo"]
        schedules.put(connection, [Due("demo", "every 6 hours", last, "2099-01-01T00:00:00Z")])
    assert of(run)["next_due"] == "2099-01-01T00:00:00Z"
    sql(
        folder,
        "INSERT INTO harvests (source_id, fingerprint, started, request, checkpoint, reason, error)"
        " SELECT source_id, fingerprint, started, json_set(request, '$.bounded', json('true')), checkpoint,"
        " '', '' FROM harvests",
    )
    assert of(run)["next_due"] == "2099-01-01T00:00:00Z"
    scheduled(folder, "every 7 hours")
    assert of(run)["next_due"] < "2099"


def test_a_corrected_address_is_due_at_once(run: Run, folder: Path) -> None:
    scheduled(folder, "every 6 hours")
    sql(folder, "UPDATE harvests SET verdict = 'failed'")
    sql(folder, "UPDATE sources SET failures = 9, failing_since = '2026-01-01T00:00:00Z'")
    before = of(run)["next_due"]
    point_to(folder, "http://127.0.0.1:1/oai", schedule="every 6 hours")
    assert of(run)["next_due"] < before


def standings_of(program: Any) -> dict[str, str]:
    from harvester.store import harvests

    with program.store.read() as connection:
        return {name: reckoned_from(last) for name, last in harvests.last_of_all(connection).items()}


def test_never_harvested(tmp_path: Path, capsys: Any) -> None:
    point_to(tmp_path, "http://127.0.0.1:1/oai", schedule="every 6 hours")
    source = of(lambda *arguments: inside(tmp_path, capsys, *arguments))
    assert (source["last"], source["state"], source["age_seconds"]) == (None, "waiting", None)
    assert source["next_due"] is not None
    assert re.search(r"demo .*never +now\n", inside(tmp_path, capsys, "status").out)


def test_no_index_and_no_sources(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "config.toml").write_text("")
    (found,) = inside(tmp_path, capsys, "status", "--json").lines
    assert found["index"] == {"engine": "tantivy", "documents": 0, "position": 0, "lag": None}
    shown = inside(tmp_path, capsys, "status").out
    assert "`windrow add URL --harvest`" in shown
    assert shown.endswith("\nindex: none yet; the first harvest makes it\n")
    (tmp_path / "data/serve.json").write_text(ELSEWHERE)
    assert inside(tmp_path, capsys, "status").out.endswith("\nindex: none yet: it is being built\n")


def test_an_index_that_cannot_be_used_may_not_be_built_anew_either(run: Run, folder: Path) -> None:
    of_another_version(folder)
    (folder / "data/serve.json").write_text(ELSEWHERE)
    doubt = "it is being built, or the log says what keeps it from that"
    assert " ".join(run("status").out.split()).endswith(f"index: the index was of another version: {doubt}")


def test_an_index_that_is_gone(run: Run, folder: Path) -> None:
    shutil.rmtree(folder / "data/index")
    assert run("status").out.endswith("\nindex: none yet: run `windrow sync`\n")


def test_as_many_queries_for_fifty_sources_as_for_one(tmp_path: Path, folder: Path) -> None:
    asked: list[str] = []

    def heard(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        asked.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", heard)
    try:
        counts = []
        for number in (1, 50):
            with program_in(folder) as program:
                with program.store.write() as connection:
                    for at in range(number):
                        sources.ensure(connection, f"s{at}", "")
                more = {
                    f"s{at}": Source(f"s{at}", f"http://x{at}.org/", details="eprints")
                    for at in range(number)
                }
                program.settings.sources.update(more)  # type: ignore[attr-defined]  # a dict
                asked.clear()
                assert len(standings(program)) == number + 1
            counts.append(len(asked))
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", heard)
    assert counts[0] == counts[1]


# For people


def test_a_person_reads_it(run: Run, folder: Path) -> None:
    sql(folder, "UPDATE harvests SET checkpoint = json_set(checkpoint, '$.seconds', 0.1)")
    heading, row, _, index = run("status").out.splitlines()
    assert heading.split() == [
        "source",
        "records",
        "deleted",
        "quarantined",
        "verdict",
        "last",
        "run",
        "took",
    ]
    assert re.fullmatch(r"demo +224 +6 +0  complete  (just now|\d+ (min|h) ago) +0\.1 s", row)
    assert index == "index: tantivy, 224 documents, up to date"


def test_how_long_ago_and_how_fast(run: Run, folder: Path) -> None:
    ended = datetime.now(UTC) - timedelta(days=4)
    scheduled(folder, "every 1 days")
    sql(folder, f"UPDATE harvests SET finished = '{ended:%Y-%m-%dT%H:%M:%SZ}'")
    sql(folder, "UPDATE harvests SET checkpoint = json_set(checkpoint, '$.seconds', 11.5)")
    row = run("status").out.splitlines()[1]
    assert re.fullmatch(r"demo +224 +6 +0  complete  4 days ago  12 s  20/s  3 days late", row)
    assert of(run)["rate"] == 20.0
    assert 4 * 86400 <= of(run)["age_seconds"] < 4 * 86400 + 60


@pytest.mark.parametrize(
    ("spent", "rate", "shown"),
    [
        ({"seconds": 4.9}, None, ""),
        ({"seconds": 5.1}, 45, "45/s"),
        ({"seconds": 60, "pages": 1}, None, ""),
        ({"seconds": 60, "pages": 2}, 3.8, "3.8/s"),
        ({"seconds": 60, "counts.received": 98_765}, 1600, "1,600/s"),
        ({"seconds": 3600}, 0.064, "0.064/s"),
    ],
)
def test_a_rate_is_no_noise(
    run: Run, folder: Path, spent: dict[str, float], rate: float | None, shown: str
) -> None:
    for name, value in spent.items():
        sql(folder, f"UPDATE harvests SET checkpoint = json_set(checkpoint, '$.{name}', {value})")
    assert of(run)["rate"] == rate
    heading, row, *_ = run("status").out.splitlines()
    assert heading.endswith("rate") == bool(shown)
    assert not shown or row.endswith(f"  {shown}")


def test_that_nobody_serves_is_said_where_something_is_due(run: Run, folder: Path) -> None:
    assert "windrow serve" not in run("status").out
    scheduled(folder, "every 1 days")
    assert "windrow serve is not running" in run("status").out
    (folder / "data/serve.json").write_text(ELSEWHERE)
    assert "windrow serve: process 7 on elsewhere, since" in run("status").out
    assert told(run)["server"] == {"pid": 7, "started": "2026-09-21T14:13:20Z", "machine": "elsewhere"}


def test_since_when_it_is_served_is_in_the_zone_of_config_toml(run: Run, folder: Path) -> None:
    settings(folder, '[harvest]\ntimezone = "Asia/Tokyo"\n')
    (folder / "data/serve.json").write_text(ELSEWHERE)
    assert "windrow serve: process 7 on elsewhere, since 21 Sep 2026 23:13" in run("status").out


def test_of_some_sources(run: Run, folder: Path) -> None:
    settings(
        folder, '\n[sources.kar]\nurl = "http://127.0.0.1:1/"\n[sources.other]\nurl = "http://127.0.0.1:2/"\n'
    )
    (sent,) = run("status", "other", "demo", "--json").lines
    assert [source["name"] for source in sent["sources"]] == ["demo", "other"]
    shown = run("status", "kar").out
    assert "kar " in shown
    assert "demo " not in shown
    assert "index: tantivy, 224 documents, up to date\n" in shown, "though this one was never harvested"
    unknown = run("status", "demo", "kra")
    assert (unknown.code, unknown.out) == (2, "")
    assert "→ did you mean kar?" in unknown.err


def test_how_far_the_index_is_behind(run: Run, folder: Path) -> None:
    with program_in(folder) as program:
        put(program.store, Record(identifier="oai:new", title="New", formats=("oai_dc",)))
    assert told(run)["index"]["lag"] == 1
    assert "1 change behind: `windrow sync`\n" in run("status").out
    (folder / "data/serve.json").write_text(ELSEWHERE)
    assert "1 change behind\n" in run("status").out, "it takes that in"


def test_disabled_and_no_longer_configured(run: Run, folder: Path) -> None:
    settings(folder, "enabled = false\nschedule = 'every 1 hours'\n")
    assert (of(run)["state"], of(run)["next_due"]) == ("disabled", None)
    assert re.search(r"demo .* complete .* disabled\n", run("status").out)
    (folder / "config.toml").write_text("")
    assert of(run)["state"] == "unconfigured"
    assert (
        "config.toml has it no more; what came stays until `windrow source remove demo`" in run("status").out
    )


@pytest.mark.parametrize("columns", [200, 120, 80, 50, 40])
def test_fits_terminals_of_any_width(folder: Path, columns: int) -> None:
    with answering(200, "text/html", HTML) as url:
        settings(folder, f'\n[sources.a-long-name-of-a-source]\nurl = "{url}"\nschedule = "every 1 days"\n')
        windrow(folder, "harvest", "a-long-name-of-a-source")
    sent = on_terminal(folder, "status", columns=columns)
    assert max(len(COLOUR.sub("", line)) for line in sent.splitlines()) <= columns
    assert "\x1b[31mfailing\x1b[0m" in sent
    assert "\x1b" not in on_terminal(folder, "status", columns=columns, NO_COLOR="1")
    assert all(word in sent for word in ("complete", "224", "HTML page"))
    assert ("source " in sent) == (columns >= 80), "else one under the other"
    assert ("took" in sent) == (columns != 80)


def test_what_a_harvest_has_left_to_do_is_a_persons_where_no_schedule_does_it(run: Run, folder: Path) -> None:
    goes_on = "    → to go on from there: windrow harvest demo\n"
    sql(folder, "UPDATE harvests SET verdict = 'partial', reason = 'it was interrupted'")
    assert f"    it was interrupted\n{goes_on}" in run("status").out
    assert of(run)["state"] == "waiting"
    scheduled(folder, "every 1 days")
    assert "    it was interrupted\n\n" in run("status").out
    sql(
        folder,
        "UPDATE harvests SET verdict = 'complete', checkpoint = json_set(checkpoint, '$.counts.held', 7)",
    )
    assert "windrow harvest demo --full --allow-deletions\n" in run("status").out
    assert of(run)["state"] == "waiting"


# Failing


def test_a_source_that_fails_until_it_is_well(folder: Path, run: Run) -> None:
    with answering(200, "text/html", HTML) as url:
        point_to(folder, url, schedule="every 1 days")
        run("harvest")
        run("harvest")
        found = of(run)
        assert (found["state"], found["failures"], found["last"]["verdict"]) == ("failing", 2, "failed")
        assert found["failing_since"] is not None
        row, why, what = run("status").out.splitlines()[1:4]
        assert re.search(r" failing +(just now|\d min ago) +\S+ s  in 24 h$", row)
        assert re.fullmatch(
            r"    nothing has come since .*, in 2 runs: the answer is no OAI-PMH response but an HTML page",
            why,
        )
        assert what.startswith("    → check the address: it must be the OAI-PMH base URL, ")
        assert what.endswith(f"; windrow check {url} says what answers; it is tried again in 24 h")
    with serve(DemoRepository(sample_records(), now=lambda: NOW)) as url:
        point_to(folder, url)
        run("harvest")
    found = of(run)
    assert (found["state"], found["failures"], found["failing_since"]) == ("ok", 0, None)
    assert "nothing has come" not in run("status").out


def test_why_it_fails_is_told_though_a_later_run_was_stopped(folder: Path, run: Run) -> None:
    with answering(200, "text/html", HTML) as url:
        point_to(folder, url)
        run("harvest")
        run("harvest")
    stop = Stop()
    stop.tell("the program was told to end")
    with program_in(folder) as program, closing(Transport(program.clock, stop=stop)) as transport:
        harvest(program.settings.sources["demo"], program.store, transport, program.clock)
    found = of(run)
    assert found["last"]["reason"] == "the program was told to end"
    assert (found["failures"], found["in_vain"]["verdict"]) == (2, "failed")
    assert "in 2 runs: the answer is no OAI-PMH response" in run("status").out


def test_a_refusal_in_the_middle_of_a_list_says_what_to_do(folder: Path, run: Run) -> None:
    with serving(Works(40, FakeClock().now, page_size=10)) as repository:
        point_to(folder, repository.url, schedule="every 1 days")
        repository.misbehave(status(403), offset(20))
        run("harvest")
    why, what = run("status").out.splitlines()[2:4]
    assert why.endswith("blocks us (HTTP 403), after 20 of 40 records")
    assert what.startswith("    → ask its manager to let us in")


def test_one_that_no_schedule_tries_again(folder: Path, run: Run) -> None:
    with answering(404, "text/html", HTML) as url:
        point_to(folder, url)
        run("harvest")
    assert "; windrow harvest demo tries again\n" in run("status").out


def test_one_from_which_nothing_ever_came(tmp_path: Path, capsys: Any) -> None:
    with answering(404, "text/html", HTML) as url:
        point_to(tmp_path, url)
        inside(tmp_path, capsys, "harvest")
    shown = inside(tmp_path, capsys, "status").out
    assert re.search(r"    nothing has come yet, in 1 run since \d\d \w{3} \d{4} \d\d:\d\d: \S", shown)


# What runs now


def await_stored(folder: Path, records: int) -> None:
    """The page before one that is held back may just be on its way into the store."""
    with program_in(folder) as program:
        live = 0
        while live < records:
            with program.store.read() as connection:
                live = sum(state.live for state in sources.every(connection))


def test_a_harvest_that_runs(tmp_path: Path, repository: FakeRepository, capsys: Any) -> None:
    (tmp_path / "config.toml").write_text(f'[sources.test]\nurl = "{repository.url}"\n')
    with held(repository, tmp_path, 30) as harvest:
        await_stored(tmp_path, 30)
        ran = inside(tmp_path, capsys, "status", "--json")
        (found,) = ran.lines[0]["sources"]
        shown = inside(tmp_path, capsys, "status").out
        holder = f"process {harvest.process.pid} on"
        assert (found["state"], found["records"], found["next_due"]) == ("running", 30, None)
        told = found["progress"]
        assert (told["stage"], told["records"], told["expected"], told["stated"]) == ("list", 30, 60, True)
        assert told["holder"].startswith(holder)
        assert re.search(r"^test +30 +0 +0  running\b", shown, re.MULTILINE)
        assert re.search(rf"    30 of 60 records \(50 %\).*: {holder}", shown)
        assert "windrow sync" not in shown, "its follower takes them in"
        harvest.gate.opened.set()
        harvest.ended()
    (found,) = inside(tmp_path, capsys, "status", "--json").lines[0]["sources"]
    assert (found["state"], found["progress"]) == ("ok", None)


def test_one_that_was_killed_does_not_run(tmp_path: Path, repository: FakeRepository, capsys: Any) -> None:
    (tmp_path / "config.toml").write_text(f'[sources.test]\nurl = "{repository.url}"\n')
    with held(repository, tmp_path, 30) as harvest:
        await_stored(tmp_path, 30)
        harvest.process.kill()
        harvest.ended()
    (found,) = inside(tmp_path, capsys, "status", "--json").lines[0]["sources"]
    assert (found["state"], found["progress"], found["records"]) == ("waiting", None, 30)
    shown = inside(tmp_path, capsys, "status").out
    assert re.search(r"^test +30 +0 +0  cut off\b", shown, re.MULTILINE)
    assert "    it was cut off; what came is kept\n    → to go on from there: windrow harvest test\n" in shown


def test_what_holds_a_source_may_be_no_harvest(folder: Path) -> None:
    with program_in(folder) as program, leases.holding(program.store, "demo", SystemClock()):
        ran = windrow(folder, "status", "--json")
        assert ran.lines[0]["sources"][0]["progress"]["stage"] == "other"
        shown = windrow(folder, "status").out
    assert f"    waiting for its first answer, or at other work on it: process {os.getpid()} on" in shown


def test_since_when_it_fails_is_in_the_zone_of_config_toml(run: Run, folder: Path) -> None:
    settings(folder, '[harvest]\ntimezone = "Asia/Tokyo"\n')
    sql(folder, "UPDATE sources SET failures = 3, failing_since = '2026-06-01T20:00:00Z'")
    assert "    nothing has come since 02 Jun 2026 05:00, in 3 runs" in run("status").out


BY = "process 7 on kent"


@pytest.mark.parametrize(
    ("under_way", "words"),
    [
        (UnderWay("begin", BY), "waiting for the first page: process 7 on kent"),
        (UnderWay("list", BY, 1200), "1,200 records so far: process 7 on kent"),
        (
            UnderWay("list", BY, 12_000, 98_000, True, 850.0, 101.1),
            "12,000 of 98,000 records (12 %), 850 a second, 1 min 41 s left: process 7 on kent",
        ),
        (UnderWay("list", BY, 990, 900, False), "990 of about 900 records (99 %): process 7 on kent"),
        (
            UnderWay("verify", BY, 1, 1, True, 10.0, 0.0),
            "1 record came, and are held against the repository's identifiers: process 7 on kent",
        ),
    ],
)  # fmt: skip
def test_progress_in_words(under_way: UnderWay, words: str) -> None:
    assert progress(under_way) == words


# All of them


def standing(name: str, state: str, **more: Any) -> Standing:
    plain = {
        "url": "", "records": 1000, "deleted": 0, "quarantined": 0, "details_waiting": None, "last": None,
        "in_vain": None, "next_due": None, "progress": None, "failures": 0, "failing_since": None,
        "schedule": "", "age_seconds": None, "rate": None,
    }  # fmt: skip
    return Standing(name=name, state=state, **{**plain, **more})


def test_totals() -> None:
    some = [
        standing(str(at), state) for at, state in enumerate(["ok", "failing", "ok", "running", "failing"])
    ]
    assert totals(some) == "5 sources, 1 running, 2 failing: 5,000 records"


def test_what_is_empty_takes_no_column() -> None:
    heading, *_ = overview([standing("a", "ok"), standing("b", "ok")], NOW, 200)
    assert COLOUR.sub("", heading[0]) == "source  records  deleted  quarantined  verdict"


# While config.toml has a fault


@pytest.mark.parametrize("command", [["status"], ["search", "hay"]])
@pytest.mark.parametrize("fault", ["nonsense = 1\n", "[serve\n"])
@pytest.mark.parametrize("data", ["data", "elsewhere/kept"])
def test_a_fault_is_told_and_that_the_service_goes_on(
    run: Run, folder: Path, data: str, fault: str, command: list[str]
) -> None:
    config = folder / "config.toml"
    config.write_text(f"data = '{data}'\n{fault}{config.read_text()}")
    alone = run(*command)
    (folder / data).mkdir(parents=True, exist_ok=True)
    (folder / data / "serve.json").write_text(ELSEWHERE)
    served = run(*command)
    assert (alone.code, served.code, served.out) == (2, 2, "")
    assert "windrow serve" not in alone.err
    told = "windrow serve goes on with the settings that it has (process 7 on elsewhere)"
    assert (f" then try again. {told}") in served.err
    assert served.err.startswith(alone.err.rstrip())


def test_a_config_that_is_gone_stops_no_service(run: Run, folder: Path) -> None:
    (folder / "config.toml").unlink()
    (folder / "data/serve.json").write_text(ELSEWHERE)
    ran = run("status")
    assert (ran.code, "there is no " in ran.err, "windrow serve goes on" in ran.err) == (2, True, True)


# --watch


def test_watched_until_ctrl_c(folder: Path) -> None:
    with terminal(folder, "status", "--watch", columns=200, WINDROW_CLOCK=FAST) as watched:
        watched.until("demo ")
        with program_in(folder) as program:
            put(program.store, Record(identifier="oai:new", title="New", formats=("oai_dc",)))
        watched.until("225 ")
        (folder / "config.toml").write_text("data = 7\n")
        watched.until("has 1 fault")
        watched.until("then try again")
        point_to(folder, "http://127.0.0.1:1/oai", schedule="every 1 days")
        watched.until("windrow serve is not running")
        watched.process.send_signal(signal.SIGINT)
        watched.until("\x1b[?1049l")  # the screen as it was before
        assert watched.process.wait() == 0


FAST = "50:1790000000"


def test_what_needs_looking_at_comes_first_where_not_all_fits(folder: Path) -> None:
    many = "".join(f'\n[sources.s{at:02}]\nurl = "http://127.0.0.1:1/{at}"\n' for at in range(30))
    settings(folder, many + "\n[sources.zzz]\nurl = 'http://127.0.0.1:1/'\nenabled = false\n")
    with program_in(folder) as program, program.store.write() as connection:
        sources.ensure(connection, "s29", "")
    sql(folder, "UPDATE sources SET failures = 3, failing_since = '2026-06-01T12:00:00Z' WHERE name = 's29'")
    with terminal(folder, "status", "--watch", rows=20, columns=100) as watched:
        screen = watched.until("Ctrl-C ends")
        watched.process.send_signal(signal.SIGINT)
        watched.until("\x1b[?1049l")
    assert "… and " in screen
    assert "more sources" in screen
    assert screen.index("s29 ") < screen.index("s00 ")
    assert "zzz " not in screen
    assert len(screen.splitlines()) <= 20


def test_one_is_watched(folder: Path) -> None:
    settings(folder, "\n[sources.kar]\nurl = 'http://127.0.0.1:1/'\n")
    with terminal(folder, "status", "--watch", "kar", columns=100) as watched:
        screen = watched.until("Ctrl-C ends")
        watched.process.send_signal(signal.SIGINT)
        watched.until("\x1b[?1049l")
    assert "kar " in screen
    assert "demo " not in screen


def test_urgency() -> None:
    states = ["ok", "unconfigured", "failing", "disabled", "waiting", "running"]
    by_urgency = sorted((standing(state, state) for state in states), key=urgency)
    assert [one.name for one in by_urgency] == [
        "running",
        "failing",
        "waiting",
        "ok",
        "disabled",
        "unconfigured",
    ]


def test_watching_is_for_terminals(run: Run, folder: Path) -> None:
    for arguments in (["--watch"], ["--watch", "--json"]):
        ran = run("status", *arguments)
        assert (ran.code, ran.out) == (2, "")
        assert "--watch is for a terminal" in ran.err
