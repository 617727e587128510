"""/healthz and /metrics, asked for over HTTP as Prometheus does, of real stores and indexes."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from math import inf
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from harvester.details import Detailed
from harvester.errors import ConfigError, StoreUnusable
from harvester.runner import Ended
from harvester.store import Store, harvests, leases, schema, sources
from harvester.store.harvests import Checkpoint, Request
from index.generations import Generations
from index.serve.monitor import Monitor
from index.sync import sync
from tests.fakes import faults
from tests.fakes.clock import FakeClock
from tests.fakes.rig import NAME, Rig

Sampled = dict[str, float]


@pytest.fixture
def generations(tmp_path: Path) -> Generations:
    return Generations(tmp_path / "index")


@pytest.fixture
def wrong() -> list[str]:
    return []


@pytest.fixture
def monitor(rig: Rig, generations: Generations, wrong: list[str]) -> Iterator[Monitor]:
    with closing(
        Monitor("127.0.0.1:0", rig.store, generations, rig.clock, lambda: wrong, lambda: ["new"])
    ) as monitor:
        yield monitor


def scraped(monitor: Monitor, source: str = NAME) -> Sampled:
    """Of one source and of the whole, without the prefix; read as Prometheus reads it."""
    answer = requests.get(f"{monitor.url}/metrics", timeout=60)
    assert (answer.status_code, answer.headers["Content-Type"]) == (
        200,
        "text/plain; version=0.0.4; charset=utf-8",
    )
    return {
        sample.name.removeprefix("windrow_").removeprefix("source_"): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.labels.get("source", source) == source
    }


def ended(rig: Rig) -> Ended:
    """The run that was the last."""
    return Ended(NAME, run=rig.last_run, requests=len(rig.repository.log))


# Health


def test_all_is_well(monitor):
    answer = requests.get(f"{monitor.url}/healthz", timeout=60)
    assert (answer.status_code, answer.json()) == (200, {"healthy": True, "wrong": []})


def test_what_is_wrong_is_said(monitor, wrong):
    wrong.append("the index has not moved for an hour")
    answer = requests.get(f"{monitor.url}/healthz", timeout=60)
    assert answer.status_code == 503
    assert answer.json() == {"healthy": False, "wrong": ["the index has not moved for an hour"]}
    wrong.clear()
    assert requests.get(f"{monitor.url}/healthz?now", timeout=60).status_code == 200


def test_a_store_that_cannot_be_read_is_said(rig, generations):
    def health() -> list[str]:
        raise StoreUnusable("the disk is gone")

    with closing(Monitor("127.0.0.1:0", rig.store, generations, rig.clock, health)) as monitor:
        answer = requests.get(f"{monitor.url}/healthz", timeout=60)
    assert (answer.status_code, answer.json()["wrong"]) == (503, ["the disk is gone"])


def test_nothing_else_is_there(monitor):
    assert requests.get(f"{monitor.url}/", timeout=60).status_code == 404
    assert requests.post(f"{monitor.url}/healthz", timeout=60).status_code == 501


# Metrics


def test_a_source_that_never_ran_has_all_series_but_the_age_of_its_success(rig, monitor):
    found = scraped(monitor, "new")
    assert [found[name] for name in ("records", "quarantined", "failures", "running")] == [0, 0, 0, 0]
    assert [found[f"{name}_total"] for name in ("harvests", "requests", "errors")] == [0, 0, 0]
    assert "success_age_seconds" not in found
    assert "records" not in scraped(monitor), "config.toml has no other"
    rig.harvest()
    assert scraped(monitor)["harvests_total"] == 0, "by another process"


def test_requests_for_details_are_counted(rig, monitor):
    rig.harvest()
    monitor.ended(ended(rig))
    monitor.ended(Ended(NAME, details=Detailed(NAME, fetched=7), requests=9))
    monitor.ended(Ended(NAME, requests=2))  # it was told to end
    found = scraped(monitor)
    assert (found["harvests_total"], found["requests_total"]) == (1, len(rig.repository.log) + 11)


def test_the_state_of_a_source(rig, monitor):
    rig.works.delete(3)
    rig.harvest()
    monitor.ended(ended(rig))
    rig.clock.advance(3600)
    found = scraped(monitor)
    assert (found["records"], found["deleted"], found["quarantined"]) == (49, 1, 0)
    assert (found["running"], found["failures"], found["held"]) == (0, 0, 0)
    assert 3600 <= found["success_age_seconds"] < 3602
    assert (found["harvests_total"], found["errors_total"]) == (1, 0)
    assert found["requests_total"] == len(rig.repository.log)
    assert found["info"] == 1
    assert found["process_resident_memory_bytes"] > 1_000_000


def test_a_source_that_fails_grows_old(rig, monitor):
    rig.harvest()
    rig.repository.misbehave(faults.status(500))
    for _ in range(3):
        rig.later()
        rig.harvest()
        monitor.ended(ended(rig))
    found = scraped(monitor)
    assert (found["harvests_total"], found["errors_total"], found["failures"]) == (3, 3, 3)
    assert 3 * 86_400 <= found["success_age_seconds"] < 3 * 86_400 + 60
    assert found["records"] == 50


def test_a_source_that_never_came_is_infinitely_old(rig, monitor):
    rig.repository.misbehave(faults.status(500))
    rig.harvest()
    assert scraped(monitor)["success_age_seconds"] == inf


def test_a_run_that_we_ended_is_no_error(rig, monitor):
    rig.harvest(limit=20)
    run = rig.last_run
    stopped = Checkpoint(requests=run.checkpoint.requests, stopped=True)
    told = harvests.Harvest(1, NAME, "", "", run.request, stopped, verdict="partial")
    monitor.ended(Ended(NAME, run=told))
    assert scraped(monitor)["errors_total"] == 0


def test_a_running_harvest_is_seen(rig, monitor):
    rig.harvest()
    with rig.store.write() as connection:
        lease = leases.take(connection, NAME, rig.clock.now())
    assert scraped(monitor)["running"] == 1
    with rig.store.write() as connection:
        leases.give_back(connection, lease)
    assert scraped(monitor)["running"] == 0


def test_how_far_the_index_is(rig, monitor, generations):
    rig.harvest()
    found = scraped(monitor)
    assert (found["index_up"], "index_lag" in found) == (0, False)
    sync(rig.store, generations, "tantivy")
    found = scraped(monitor)
    assert (found["index_up"], found["index_documents"], found["index_lag"]) == (1, 50, 0)
    rig.later()
    rig.works.put(1, title="Another")
    rig.works.put(51)
    rig.harvest()
    found = scraped(monitor)
    assert (found["index_documents"], found["index_lag"]) == (50, 2)


def test_many_sources_are_read_as_one_is(tmp_path, clock, generations):
    """With as many statements; the first of them failed all its last runs."""
    with closing(Store(f"sqlite:///{tmp_path / 'many.db'}")) as store:
        fill(store, 1)
        alone = statements_of_a_scrape(store, generations, clock)
        fill(store, 100)
        assert statements_of_a_scrape(store, generations, clock) == alone


def statements_of_a_scrape(store: Store, generations: Generations, clock: FakeClock) -> int:
    asked: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    with closing(Monitor("127.0.0.1:0", store, generations, clock, list)) as monitor:
        sa.event.listen(sa.Engine, "before_cursor_execute", count)
        try:
            answer = requests.get(f"{monitor.url}/metrics", timeout=60)
        finally:
            sa.event.remove(sa.Engine, "before_cursor_execute", count)
    with store.read() as connection:
        assert answer.text.count("windrow_source_success_age_seconds{") == len(sources.every(connection))
    return len(asked)


def fill(store: Store, count: int, runs: int = 30) -> None:
    """So many more sources, each with a complete run and then failing ones."""
    with store.write() as connection:
        for _ in range(count):
            name = f"source{connection.scalar(sa.select(sa.func.count()).select_from(schema.sources))}"
            state = sources.ensure(connection, name, "x")
            for nth in range(runs):
                run = harvests.begin(connection, state.id, "x", Request("oai_dc"), "2026-05-01T10:00:00Z")
                ended = {"reason": "", "error": "", "watermark": None, "finished": "2026-05-01T11:00:00Z"}
                harvests.end(connection, run, verdict="failed" if nth else "complete", **ended)


# The port


def test_on_ipv6(rig, generations):
    with closing(Monitor("[::1]:0", rig.store, generations, rig.clock, list)) as monitor:
        assert monitor.url.startswith("http://[::1]:")
        assert requests.get(f"{monitor.url}/healthz", timeout=60).status_code == 200


def test_a_port_that_is_taken_is_said(rig, generations, monitor):
    taken = monitor.url.removeprefix("http://")
    with pytest.raises(ConfigError, match=f"{taken} cannot be had: Address already in use"):
        Monitor(taken, rig.store, generations, rig.clock, list)


def test_after_its_end_the_port_is_free(rig, generations):
    with closing(Monitor("127.0.0.1:0", rig.store, generations, rig.clock, list)) as monitor:
        listen = monitor.url.removeprefix("http://")
    with closing(Monitor(listen, rig.store, generations, rig.clock, list)) as again:
        assert requests.get(f"{again.url}/healthz", timeout=60).status_code == 200


def test_who_says_nothing_holds_nobody_up(rig, generations):
    with closing(Monitor("127.0.0.1:0", rig.store, generations, rig.clock, list)) as monitor:
        address = ("127.0.0.1", int(monitor.url.rpartition(":")[2]))
        with socket.create_connection(address) as silent:
            silent.sendall(b"GET /hea")
            assert requests.get(f"{monitor.url}/healthz", timeout=60).status_code == 200
            monitor.close()


def test_scrapes_at_once(rig, monitor):
    rig.harvest()
    found: list[Sampled] = []
    threads = [threading.Thread(target=lambda: found.append(scraped(monitor))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one["records"] for one in found] == [50] * 8
