"""A source is added to config.toml, and nothing else in it changes."""

import os
import tomllib
from pathlib import Path

import pytest

from harvester.config import Source, load
from harvester.config_file import add_source, remove_source
from harvester.errors import ConfigError

SHIPPED = Path(__file__).parents[1] / "config.toml"
KAR = '[sources.kar]\nurl = "https://kar.kent.ac.uk/cgi/oai2"\n'
NEW = Source("kent", "https://kar.kent.ac.uk/cgi/oai2", set="7374", schedule="0 3 * * *")
BLOCK = '[sources.kent]\nurl = "https://kar.kent.ac.uk/cgi/oai2"\nset = "7374"\nschedule = "0 3 * * *"\n'


@pytest.fixture
def write(tmp_path):
    def write(text: str) -> Path:
        path = tmp_path / "config.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_source_is_added_to_a_file_that_is_not_there(tmp_path):
    path = tmp_path / "new" / "config.toml"
    assert add_source(path, NEW) == BLOCK
    assert path.read_text() == BLOCK
    assert load(path, {}).sources == {"kent": NEW}


@pytest.mark.parametrize(
    "old",
    [
        SHIPPED.read_text(encoding="utf-8"),
        "# nothing but a remark",
        "[sources]\n",
        'data = "x"   # here\r\n\r\n[index]\r\n',
        'sources.other.url = "https://host/oai"\n[index]\nengine = "whoosh"\n',
        KAR + '\n[harvest]\n# contact = ""\n\n\n',
    ],
)
def test_what_was_there_stays_to_the_byte(tmp_path, old):
    path = tmp_path / "config.toml"
    path.write_bytes(old.encode())
    before = load(path, {})
    block = add_source(path, NEW)
    new = path.read_bytes().decode()
    assert new.startswith(old)
    assert new.replace("\r\n", "\n").endswith("\n" + block)
    assert load(path, {}).sources == {**before.sources, "kent": NEW}
    assert [file.name for file in tmp_path.iterdir()] == ["config.toml"]


def test_a_name_or_an_address_that_is_there_already(write):
    path = write(KAR)
    with pytest.raises(ConfigError, match="has a source kar already"):
        add_source(path, Source("kar", "https://other.ac.uk/oai"))
    with pytest.raises(ConfigError, match=r"the source kar in .* fetches the same"):
        add_source(path, Source("kent", "https://kar.kent.ac.uk/cgi/oai2"))
    assert path.read_text() == KAR


@pytest.mark.parametrize("old", ["sources = {}\n", "sources = 3\n", "[sources\n"])
def test_a_file_that_cannot_take_a_source_is_left_alone(write, old):
    path = write(old)
    with pytest.raises(ConfigError):
        add_source(path, NEW)
    assert path.read_text() == old


def test_a_faulty_source_is_not_written(tmp_path):
    with pytest.raises(ConfigError) as caught:
        add_source(tmp_path / "config.toml", Source("Kent", "gopher://x"))
    assert len(caught.value.problems) == 2
    assert not list(tmp_path.iterdir())


def test_mode_and_link_of_the_file_stay(tmp_path):
    real = tmp_path / "real.toml"
    real.write_text(KAR)
    real.chmod(0o640)
    link = tmp_path / "config.toml"
    link.symlink_to(real)
    add_source(link, NEW)
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert len(load(link, {}).sources) == 2


@pytest.mark.parametrize("fails", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file_and_no_other(write, monkeypatch, fails):
    def no_space(*_args):
        raise OSError(28, "No space left on device")

    path = write(KAR)
    monkeypatch.setattr(*((os, "fsync") if fails == "fsync" else (Path, "replace")), no_space)
    with pytest.raises(ConfigError, match="No space left on device"):
        add_source(path, NEW)
    assert path.read_text() == KAR
    assert [file.name for file in path.parent.iterdir()] == ["config.toml"]


# Taking one out


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (KAR, ""),
        ("# Mine.\n" + KAR, "# Mine.\n"),
        ('data = "x"\n\n' + KAR, 'data = "x"\n'),
        (KAR + '# schedule = ""\n\n# Ask Jim.\n[index]  # here\n', "# Ask Jim.\n[index]  # here\n"),
        ("[harvest]\n\n" + KAR + "\n# Ask Jim.\n\n[index]\n", "[harvest]\n\n# Ask Jim.\n\n[index]\n"),
        (KAR + "# Ask Jim.\n[index]\n", "# Ask Jim.\n[index]\n"),
        ("[harvest]\n\n" + KAR + "# schedule\n", "[harvest]\n"),
        ("[harvest]\n\n" + KAR + "\n# the end", "[harvest]\n\n# the end"),
        ("[harvest]\r\n\r\n" + KAR.replace("\n", "\r\n") + "\r\n[index]\r\n", "[harvest]\r\n\r\n[index]\r\n"),
        (KAR.replace("kar]", '"kar"]') + "[index]\n", "[index]\n"),
        (KAR.replace("[sources.kar]", " [ sources . 'kar' ] # x") + "[index]\n", "[index]\n"),
        (
            "[sources.karst]\nurl = 'https://x.example/oai'\n" + KAR,
            "[sources.karst]\nurl = 'https://x.example/oai'\n",
        ),
        ("[sources]\n" + KAR + "[index]\n", "[sources]\n[index]\n"),
        ("[sources]\nkar.url = 'https://x.example/oai' # x\n# Jim\n[index]\n", "[sources]\n# Jim\n[index]\n"),
        ("[sources]\nkar = {url = 'https://x.example/oai'}\n# Jim\n[index]\n", "[sources]\n# Jim\n[index]\n"),
        ("\ufeff" + KAR + "\n[index]\n", "\ufeff[index]\n"),
    ],
)
def test_a_source_is_taken_out_and_all_else_stays(tmp_path, old, new):
    path = tmp_path / "config.toml"
    path.write_bytes(old.encode())
    others = {name: source for name, source in load(path, {}).sources.items() if name != "kar"}
    assert remove_source(path, "kar")
    assert path.read_bytes().decode() == new
    assert load(path, {}).sources == others
    assert [file.name for file in tmp_path.iterdir()] == ["config.toml"]


@pytest.mark.parametrize("old", [SHIPPED.read_text(encoding="utf-8"), "# a remark\n", "[harvest]\n# x\n\n\n"])
def test_what_was_added_and_taken_out_was_never_there(write, old):
    path = write(old)
    add_source(path, NEW)
    assert remove_source(path, "kent")
    assert path.read_text(encoding="utf-8") == old


def test_a_source_that_is_not_there(write, tmp_path):
    path = write(KAR)
    assert not remove_source(path, "kent")
    assert path.read_text() == KAR
    assert not remove_source(tmp_path / "none.toml", "kar")


def test_a_text_that_looks_like_its_header_is_none(write):
    old = KAR + '\n[harvest]\ncontact = """\n[sources.kar]\n"""\n'
    path = write(old)
    assert remove_source(path, "kar")
    assert tomllib.loads(path.read_text())["harvest"] == {"contact": "[sources.kar]\n"}
