"""A source is added to config.toml, switched off and on, taken out, and nothing else in it changes."""

import os
import re
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from harvester.config import Source, load
from harvester.config_file import add_source, remove_source, switch
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


# Switching it off and on


OFF = "enabled = false\n"
KA = '[sources."k.a"]\nurl = "https://x.example/oai"\n'
ODD = [
    (KAR, KAR + OFF),
    (KAR.strip(), KAR + OFF),
    (KAR + "# set\n\n# Ask Jim.\n[index] # x\n", KAR + OFF + "# set\n\n# Ask Jim.\n[index] # x\n"),
    ("# Mine.\n" + KAR + "\n\n# the end", "# Mine.\n" + KAR + OFF + "\n\n# the end"),
    ("\ufeff" + KAR + "\n[index]\n", "\ufeff" + KAR + OFF + "\n[index]\n"),
    ((KAR + "\n[index]\n").replace("\n", "\r\n"), (KAR + OFF + "\n[index]\n").replace("\n", "\r\n")),
    (
        KAR.replace("[sources.kar]", " [ sources . 'kar' ] # x") + "[index]\n",
        KAR.replace("[sources.kar]", " [ sources . 'kar' ] # x") + OFF + "[index]\n",
    ),
    (KA + KAR, KA + KAR + OFF),
    ("[sources]\n" + KAR + "[index]\n", "[sources]\n" + KAR + OFF + "[index]\n"),
]  # fmt: skip
WRITTEN_OTHERWISE = [
    (
        "[sources]\nkar.url = 'https://x.example/oai' # x\n# Jim\n[index]\n",
        "[sources]\nkar.url = 'https://x.example/oai' # x\nkar.enabled = false\n# Jim\n[index]\n",
    ),
    (
        "sources = {kar = {url = 'https://x.example/oai'}}  # Jim\n",
        "sources = {kar = {url = 'https://x.example/oai',enabled = false}}  # Jim\n",
    ),
    (KAR + "enabled = true  # Jim\n", KAR + "enabled = false  # Jim\n"),
    (
        "[sources.kar]\nenabled=true\nurl = '''https://x.example/oai'''\n# Jim\n",
        "[sources.kar]\nenabled=false\nurl = '''https://x.example/oai'''\n# Jim\n",
    ),
    (
        KAR + '\n[searches.odd]\nquery = """\n[sources.kar]\n"""\n',
        KAR + OFF + '\n[searches.odd]\nquery = """\n[sources.kar]\n"""\n',
    ),
]


@pytest.mark.parametrize(("on", "off"), ODD + WRITTEN_OTHERWISE)
def test_a_source_is_switched_off_and_all_else_stays(tmp_path, on, off):
    path = tmp_path / "config.toml"
    path.write_bytes(on.encode())
    before = load(path, {}).sources
    assert switch(path, ["kar"], enabled=False) == ["kar"]
    assert path.read_bytes().decode() == off
    assert switch(path, ["kar"], enabled=False) == []
    assert path.read_bytes().decode() == off
    assert load(path, {}).sources == {**before, "kar": replace(before["kar"], enabled=False)}
    assert switch(path, ["kar"], enabled=True) == ["kar"]
    assert load(path, {}).sources == before
    assert [file.name for file in tmp_path.iterdir()] == ["config.toml"]


@pytest.mark.parametrize("old", [old for old, _ in ODD if old.endswith("\n")])
def test_what_was_switched_off_and_on_again_is_as_it_was(tmp_path, old):
    path = tmp_path / "config.toml"
    path.write_bytes(old.encode())
    switch(path, ["kar"], enabled=False)
    switch(path, ["kar"], enabled=True)
    assert path.read_bytes().decode() == old


def test_a_remark_beside_the_switch_stays(write):
    path = write(KAR + "enabled = false  # since May: ask Jim\n")
    switch(path, ["kar"], enabled=True)
    assert path.read_text() == KAR + "enabled = true  # since May: ask Jim\n"


def test_many_at_once_some_of_them_already(write):
    blocks = [f'[sources.s{at}]\nurl = "https://x.example/{at}"\n' for at in range(500)]
    path = write(blocks[0] + OFF + "".join(blocks[1:]) + "[sources]\nt.url = 'https://x.example/t'\n")
    path.write_text(path.read_text().replace("[sources]\nt.url", "[sources.t]\nurl"))
    names = [f"s{at}" for at in range(500)]
    assert switch(path, [*names, "t"], enabled=False) == [*names[1:], "t"]
    assert not any(source.enabled for source in load(path, {}).sources.values())
    assert switch(path, names, enabled=True) == names
    assert path.read_text() == "".join(blocks) + "[sources.t]\nurl = 'https://x.example/t'\n" + OFF


BEGINNINGS = st.sampled_from(["", "# Jim\n", "[index]\nengine = 'whoosh'\n", "[sources]\n", "[sources]\n\n"])
HEADERS = st.sampled_from(["[sources.{}]", '[sources."{}"] # y', " [ sources . '{}' ]"])
URLS = st.sampled_from(["'https://a.example/{}'", '"https://a.example/{}" # x', "'''https://a.example/{}'''"])
SWITCHES = ["enabled = true\n", "enabled=false # Jim\n", "  enabled = false\n"]
KEYS = st.sampled_from(["", "set = '7'\n", "# set = 'x'\n", "\n# Jim\n\n", *SWITCHES])
SECTIONS = st.lists(st.tuples(HEADERS, URLS, KEYS), min_size=1, max_size=4)


@given(BEGINNINGS, SECTIONS, st.sets(st.integers(0, 3), min_size=1), st.booleans())
def test_only_what_is_named_is_switched(beginning, sections, wanted, enabled):
    text = beginning + "".join(
        f"{header.format(f's{at}')}\nurl = {url.format(at)}\n{keys}"
        for at, (header, url, keys) in enumerate(sections)
    )
    with TemporaryDirectory() as folder:
        path = Path(folder, "config.toml")
        path.write_text(text, encoding="utf-8")
        before = load(path, {})
        names = [name for name in before.sources if int(name[1:]) in wanted]
        switch(path, names, enabled=enabled)
        after = load(path, {})
        left = path.read_text(encoding="utf-8")
    assert after.sources == {
        name: replace(source, enabled=enabled if name in names else source.enabled)
        for name, source in before.sources.items()
    }
    assert after.index == before.index
    ours = re.compile(r"(?m)^\s*enabled\s*=\s*(true|false)\n?")
    assert ours.sub("", left) == ours.sub("", text)
