"""What newcomers did first, and stumbled over."""

from pathlib import Path
from typing import Any

import pytest

from index.demo.repository import DemoRepository, sample_records
from index.demo.server import serve
from tests.commands import demo_folder, inside


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo_folder(tmp_path_factory.mktemp("first") / "demo")


def total(folder: Path, capsys: Any, *query: str) -> int:
    ran = inside(folder, capsys, "search", "--json", *query)
    assert ran.code == 0, ran.err
    found: int = ran.lines[0]["total"]
    return found


def test_an_exclusion_is_no_option(folder: Path, capsys: Any) -> None:
    every = total(folder, capsys, "health")
    without = total(folder, capsys, "health", "-recovery")
    assert 0 < without < every
    assert total(folder, capsys, "health", "-(recovery OR music)") <= without
    assert inside(folder, capsys, "search", "health", "--filtre", "x").code == 2


def test_what_is_asked_for_in_so_many_words_is_not_loosened(folder: Path, capsys: Any) -> None:
    both = total(folder, capsys, "coproduction AND recovery")
    assert both == total(folder, capsys, "+coproduction +recovery")
    assert both < total(folder, capsys, "coproduction recovery")


@pytest.mark.parametrize(
    "id",
    [
        "111396",
        "https://kar.kent.ac.uk/111396/",
        "kar.kent.ac.uk/111396",
        "https://kar.kent.ac.uk/id/eprint/111396",
        "oai:windrow.example:111396",
    ],
)
def test_a_record_by_what_one_has_at_hand(folder: Path, capsys: Any, id: str) -> None:
    ran = inside(folder, capsys, "show", id, "--json")
    assert (ran.code, ran.lines[0]["id"]) == (0, "demo/oai:windrow.example:111396")


def test_full_and_a_window_do_not_go_together(folder: Path, capsys: Any) -> None:
    ran = inside(folder, capsys, "harvest", "--full", "--from", "2020-01-01")
    assert ran.code == 2
    assert "whole list" in ran.err


class TestAdd:
    def test_an_address_out_of_a_browser(self, tmp_path: Path, capsys: Any) -> None:
        with serve(DemoRepository(sample_records())) as url:
            ran = inside(tmp_path, capsys, "add", f"{url}?verb=ListRecords&metadataPrefix=oai_dc")
        assert ran.code == 0
        assert f"Taken as {url}\n" in ran.err
        assert f'url = "{url}"' in (tmp_path / "config.toml").read_text()

    @pytest.mark.parametrize(
        ("option", "said"),
        [(("--prefix", "nope"), "cannotDisseminateFormat"), (("--set", "nope"), "has no set nope")],
    )
    def test_what_is_not_there_is_not_written(
        self, tmp_path: Path, capsys: Any, option: tuple[str, str], said: str
    ) -> None:
        with serve(DemoRepository(sample_records())) as url:
            ran = inside(tmp_path, capsys, "add", url, *option)
        assert ran.code in (1, 2)
        assert said in ran.err
        assert not (tmp_path / "config.toml").exists()
