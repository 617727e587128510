"""A harvest that is killed, wherever it is: nothing is lost, nothing twice, and one run puts it right."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.commands import windrow
from tests.fakes.clock import FakeClock
from tests.fakes.repository import FakeRepository, serving
from tests.fakes.works import Works
from tests.held import held
from tests.whole import Stored, assert_holds

pytestmark = pytest.mark.slow
PAGES, A_PAGE = 6, 10
RECORDS = PAGES * A_PAGE


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[FakeRepository]:
    """60 works, three of them deleted; tmp_path has its config.toml."""
    works = Works(RECORDS, FakeClock().now, page_size=A_PAGE)
    for number in (5, 25, 60):
        works.delete(number)
    with serving(works) as repository:
        (tmp_path / "config.toml").write_text(f'[sources.test]\nurl = "{repository.url}"\n')
        yield repository


def set_right_by_one_run(repository: FakeRepository, folder: Path) -> None:
    done = windrow(folder, "harvest", "--json")
    assert done.code == 0, done.err
    (report,) = done.lines
    assert report["verdict"] == "complete"
    assert (report["received"], report["created"], report["pages"]) == (RECORDS, RECORDS - 3, PAGES)
    is_whole(repository, folder)


def is_whole(repository: FakeRepository, folder: Path) -> None:
    works = repository.responder
    assert isinstance(works, Works)
    checked = windrow(folder, "verify", "--json")
    assert checked.code == 0, checked.out + checked.err
    assert_holds(folder, Stored(works.live, works.deleted, set()))


@pytest.mark.parametrize("in_mid_body", [False, True], ids=["between pages", "in mid-page"])
@pytest.mark.parametrize("page", [1, 2, PAGES], ids=["first", "second", "last"])
def test_kill_9(repository: FakeRepository, tmp_path: Path, page: int, in_mid_body: bool) -> None:
    with held(repository, tmp_path, (page - 1) * A_PAGE, in_mid_body=in_mid_body) as harvest:
        harvest.process.kill()
        assert harvest.ended().code == -signal.SIGKILL
    set_right_by_one_run(repository, tmp_path)


def test_kill_9_again_and_again(repository: FakeRepository, tmp_path: Path) -> None:
    for page in range(2, PAGES + 1):
        with held(repository, tmp_path, (page - 1) * A_PAGE, in_mid_body=False) as harvest:
            harvest.process.kill()
            harvest.ended()
    set_right_by_one_run(repository, tmp_path)


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize("to_group", [False, True], ids=["to the process", "to its group"])
def test_told_to_end(
    repository: FakeRepository, tmp_path: Path, sent: signal.Signals, code: int, to_group: bool
) -> None:
    """A terminal's Ctrl-C, and a service manager's stop, reach the whole group."""
    with held(repository, tmp_path, 2 * A_PAGE, in_mid_body=False) as harvest:
        if to_group:
            os.killpg(harvest.process.pid, sent)
        else:
            harvest.process.send_signal(sent)
        ended = harvest.ended()
    assert ended.code == code
    assert "Traceback" not in ended.err
    (source,) = msgspec.json.decode(windrow(tmp_path, "status", "--json").out)["sources"]
    assert (source["last"]["verdict"], source["last"]["reason"]) == ("partial", "it was interrupted")
    assert source["last"]["finished"]
    repository.log.clear()
    set_right_by_one_run(repository, tmp_path)
    assert repository.asked("Identify") == []


def test_kill_9_of_the_follower(repository: FakeRepository, tmp_path: Path) -> None:
    with held(repository, tmp_path, 2 * A_PAGE, in_mid_body=False) as harvest:
        harvest.follower.kill()
        harvest.gate.opened.set()
        ended = harvest.ended()
    assert (ended.code, ended.lines[0]["verdict"]) == (0, "complete")
    assert "windrow sync" in ended.err
    assert "Traceback" not in ended.err
    assert windrow(tmp_path, "verify").code == 0  # behind is not wrong
    assert windrow(tmp_path, "sync").code == 0
    is_whole(repository, tmp_path)
