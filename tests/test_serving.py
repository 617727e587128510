"""Who serves a data folder, as others see it."""

import os
from pathlib import Path

from index.serving import server_of, serving

ANOTHER = '{"pid": 7, "started": 1790000000.5, "machine": "elsewhere"}'


def test_who_serves_is_found_until_it_leaves(tmp_path: Path) -> None:
    with serving(tmp_path):
        server = server_of(tmp_path)
        assert server is not None
        assert server.pid == os.getpid()
    assert server_of(tmp_path) is None
    assert not (tmp_path / "serve.json").exists()


def test_who_leaves_does_not_hide_who_has_come(tmp_path: Path) -> None:
    """The folder was replaced meanwhile, by a backup say, and is served by another."""
    with serving(tmp_path):
        (tmp_path / "serve.json").write_text(ANOTHER)
    assert str(server_of(tmp_path)) == "process 7 on elsewhere"
