"""config.toml: what it means, and what is wrong with it."""

import subprocess
import sys
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path

import msgspec
import pytest
import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harvester.config import SavedSearch, Settings, Source, find, load, read_settings
from harvester.config.keys import KEYS
from harvester.errors import ConfigError

SHIPPED = Path(__file__).parents[1] / "config.toml"
KAR = '[sources.kar]\nurl = "https://kar.kent.ac.uk/cgi/oai2"\n'


@pytest.fixture
def write(tmp_path):
    def write(text: str) -> Path:
        path = tmp_path / "config.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def problems(path: Path, environ: dict[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load(path, environ or {})
    return caught.value.problems


def only_problem(path: Path, environ: dict[str, str] | None = None) -> str:
    [problem] = problems(path, environ)
    return problem


# What it means


def test_an_empty_file_has_every_default(write, tmp_path):
    found = load(write(""), {})
    assert (found.path, found.data) == (tmp_path / "config.toml", tmp_path / "data")
    assert found.index_folder == tmp_path / "data" / "index"
    assert found.store.url == f"sqlite:///{tmp_path}/data/windrow.db"
    assert (found.index.engine, found.harvest.contact, found.harvest.timezone) == ("tantivy", "", "")
    assert (found.harvest.audit, found.harvest.full) == (timedelta(days=30), timedelta(days=180))
    assert found.sources == {}


def test_a_source_has_every_default_but_its_url(write):
    assert load(write(KAR), {}).sources == {"kar": Source("kar", "https://kar.kent.ac.uk/cgi/oai2")}


def test_every_key_reaches_the_settings(write, tmp_path):
    text = """
        data = "/srv/windrow"
        store.url = "postgresql+psycopg://windrow@db/windrow"
        index.engine = "whoosh"
        [harvest]
        contact = "me@example.ac.uk"
        timezone = "Europe/London"
        audit = "every 2 days"
        full = "never"
        [sources."a.b"]
        url = "http://[::1]:8080/oai?page=oai"
        metadata_prefix = "mods"
        set = "7374617475733D707562:x"
        details = "eprints"
        details_gap = "2.5"
        schedule = "30 3 * * mon-fri"
        ca = "our-ca.pem"
        [sources.c]
        url = "https://old.example/oai"
        insecure = true
        [searches.recovery]
        query = "coproduction recovery"
        filters = ["type=thesis", "year=2019..2021"]
        sort = "newest"
        [searches.all]
        query = "*"
    """
    found = load(write(text), {})
    assert found.searches == {
        "recovery": SavedSearch(
            "recovery", "coproduction recovery", ("type=thesis", "year=2019..2021"), "newest"
        ),
        "all": SavedSearch("all", "*"),
    }
    assert found.data == Path("/srv/windrow")
    assert found.store.url == "postgresql+psycopg://windrow@db/windrow"
    assert (found.index.engine, found.harvest.contact) == ("whoosh", "me@example.ac.uk")
    assert found.harvest.timezone == "Europe/London"
    assert (found.harvest.audit, found.harvest.full) == (timedelta(days=2), None)
    source = Source(
        "a.b",
        "http://[::1]:8080/oai?page=oai",
        "mods",
        "7374617475733D707562:x",
        "eprints",
        "30 3 * * mon-fri",
        str(tmp_path / "our-ca.pem"),
        details_gap="2.5",
    )
    assert found.sources == {"a.b": source, "c": Source("c", "https://old.example/oai", insecure=True)}


def test_files_are_relative_to_config_toml(write, tmp_path, monkeypatch):
    path = write('data = "../elsewhere"\nstore.url = "sqlite:///records.db"')
    monkeypatch.chdir("/")
    found = load(path, {})
    assert found.data.resolve() == tmp_path.parent / "elsewhere"
    assert found.store.url == f"sqlite:///{tmp_path}/records.db"


def test_a_byte_order_mark_is_no_fault(write):
    assert load(write("\ufeff" + KAR), {}).sources


def test_values_come_from_the_environment(write):
    text = '[harvest]\ncontact = { env = "CONTACT" }\n[store]\nurl = { env = "DB" }\n'
    found = load(write(text), {"CONTACT": "me@example.org", "DB": "postgresql://u:secret@db/w"})
    assert (found.harvest.contact, found.store.url) == ("me@example.org", "postgresql://u:secret@db/w")


# Where it is


def test_the_option_wins_over_the_environment_and_that_over_the_folder(tmp_path):
    environ = {"WINDROW_CONFIG": "/etc/windrow.toml"}
    assert find("mine.toml", environ, tmp_path) == tmp_path / "mine.toml"
    assert find(None, environ, tmp_path) == Path("/etc/windrow.toml")
    assert find(None, {"WINDROW_CONFIG": ""}, tmp_path) == tmp_path / "config.toml"


def test_a_missing_file_says_how_to_make_one(tmp_path):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "config.toml", {})
    assert "windrow add URL" in caught.value.advice
    assert "--config PATH" in caught.value.advice
    assert caught.value.exit_code == 2


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path, {})


# What is wrong with it


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('data = "data"\n[store\n', "line 2"),
        ('\n\nset = "a" "b"\n', "line 3"),
        ('data = "a"\ndata = "b"\n', "line 2"),
        ("a = 1\nb = ", "line 2"),
        ("a = " + "[" * 5000, "nested"),
        ("a = " + "9" * 5000, "digits"),
    ],
)
def test_a_fault_of_syntax_has_its_line(write, text, line):
    assert line in only_problem(write(text))


def test_a_file_that_is_not_utf_8_has_its_line(tmp_path):
    path = tmp_path / "config.toml"
    path.write_bytes('[harvest]\ncontact = "Zoë"'.encode("latin-1"))
    assert only_problem(path) == "line 2 is not in UTF-8"


def test_all_faults_are_said_at_once_in_their_order(write):
    text = """
        dtaa = "data"
        [index]
        engine = "woosh"
        [harvest]
        contact = "nobody"
        [sources.Kar]
        url = "ftp://kar.kent.ac.uk"
        schedule = "every 6 weeks"
    """
    found = problems(write(text))
    assert [problem.split(": ")[0] for problem in found] == [
        "dtaa",
        "index.engine",
        "harvest.contact",
        "sources.Kar",
        "sources.Kar.url",
        "sources.Kar.schedule",
    ]
    assert found[0] == "dtaa: unknown key; did you mean data?"
    assert found[1] == 'index.engine: found \'woosh\'; allowed: "tantivy" or "whoosh"'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[sorces.kar]\n", "sorces: unknown key; did you mean sources?"),
        ('[index]\nengin = "whoosh"\n', "index.engin: unknown key; did you mean index.engine?"),
        ('engine = "whoosh"\n', "engine: unknown key; did you mean index.engine?"),
        (f'{KAR}metadataPrefix = "x"\n', "sources.kar.metadataPrefix: unknown key; did you mean "),
        (f"[store]\nzzz = 1\n{KAR}", "store.zzz: unknown key; known here: url"),
        ('"store.url" = "x"\n', "'store.url': unknown key; did you mean store?"),
        ("prefix = 1\n[sources]\n", "prefix: unknown key; known here"),
    ],
)
def test_an_unknown_key_has_its_nearest(write, text, says):
    assert only_problem(write(text)).startswith(says)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("data = 3", "data: found 3; allowed: text in quotes"),
        ("data = true", "data: found true; allowed: text"),
        ("data = ['a']", "data: found a list; allowed: text"),
        ("data = { x = 1 }", "data: found a table; allowed: text"),
        ("data = 0x" + "f" * 9000, "data: found a long number; allowed: text"),
        ("data = ''", "data: found ''; allowed: the name of a folder"),
        ("data = 'a?b'", "data: found "),
        ("store = 'x'", "store: found 'x'; allowed: a table, [store]"),
        ("[[sources]]\nurl = 'x'", "sources: found a list; allowed: a table, [sources]"),
        ("sources.kar = 'x'", "sources.kar: found 'x'; allowed: a table, [sources.NAME]"),
        ("[sources.kar]", "sources.kar.url: missing. "),
        ("[sources.kar]\nurl = ''", "sources.kar.url: found ''; allowed: an address"),
        ("searches.a = 'x'", "searches.a: found 'x'; allowed: a table, [searches.NAME]"),
        ("[searches.a]", "searches.a.query: missing. "),
        ("[searches.a]\nquery = ' '", "searches.a.query: found ' '; allowed: words"),
        ("[searches.a]\nquery = 'x'\nsort = 'size'", "searches.a.sort: found 'size'; allowed: \"relevance\""),
        ("[searches.a]\nquery = 'x'\nfilters = 'x=1'", "searches.a.filters: found 'x=1'; allowed: a list"),
        ("[searches.a]\nquery = 'x'\nfilters = [1]", "searches.a.filters: found 1; allowed: text in quotes"),
        ("[searches.a]\nquery = 'x'\nfilters = ['x']", "searches.a.filters: found 'x'; allowed: FIELD=VALUE"),
        ("[searches.'A b']\nquery = 'x'", "searches.'A b': found 'A b'; allowed: small letters"),
        ("index.engine = 'opensearch'", "index.engine: found 'opensearch'; this version does not have that"),
        ("harvest.timezone = 'Europe/Londn'", "harvest.timezone: found 'Europe/Londn'; allowed: a name of"),
        ("harvest.timezone = '../etc/passwd'", "harvest.timezone: found '../etc/passwd'; allowed: a name"),
        ("harvest.timezone = 'Europe'", "harvest.timezone: found 'Europe'; allowed: a name"),
        ("harvest.audit = 'monthly'", "harvest.audit: found 'monthly'; allowed: \"every N days\""),
        ("harvest.contact = 'a@b.org, c@d.org'", "harvest.contact: found 'a@b.org, c@d.org'; allowed: one"),
        ('harvest.contact = "a@b.org\\r\\nX: y"', "harvest.contact: found 'a@b.org\\r\\nX: y'; allowed: one"),
        ("store.url = 'mysql://db/w'", "store.url: found 'mysql://db/w'; allowed: "),
        ("store.url = 'sqlite:///:memory:'", "store.url: found 'sqlite:///:memory:'; allowed: "),
        (
            KAR + "details_gap = '0'",
            'sources.kar.details_gap: found \'0\'; allowed: seconds, such as "0.5" or "10"; at least "0.1"',
        ),
        (KAR + "details = 'full'", "sources.kar.details: found 'full'; allowed: \"eprints\", or empty"),
        (KAR + "set = 'a b'", "sources.kar.set: found 'a b'; allowed: one setSpec"),
        (KAR + "metadata_prefix = 'a b'", "sources.kar.metadata_prefix: found 'a b'; allowed: letters"),
        (KAR + "insecure = 'yes'", "sources.kar.insecure: found 'yes'; allowed: true or false"),
        (KAR + "insecure = 1", "sources.kar.insecure: found 1; allowed: true or false"),
        (KAR + "ca = true", "sources.kar.ca: found true; allowed: text in quotes"),
        (KAR + 'ca = "a.pem"\ninsecure = true', "sources.kar.ca: found 'a.pem'; allowed: ca or insecure"),
        (KAR + "schedule = '75 * * * *'", "sources.kar.schedule: found '75 * * * *'; '75' is no minute"),
    ],
)
def test_a_fault_says_what_was_found_and_what_is_allowed(write, text, says):
    assert only_problem(write(text)).startswith(says)


def test_a_misspelt_time_zone_has_its_nearest(write):
    assert 'did you mean "Europe/London"?' in only_problem(write("harvest.timezone = 'Europe/Londn'"))


@pytest.mark.parametrize(
    "url",
    [
        "kar.kent.ac.uk/cgi/oai2",
        "https://",
        "https://[::1",
        "https://host:port/",
        "https://a b/",
        "https://host/\\u001b[2J",
        "https://host/oai?verb=Identify",
        "https://host/oai#top",
        "file:///etc/passwd",
    ],
)
def test_an_address_that_cannot_be_harvested(write, url):
    assert "allowed: " in only_problem(write(f'[sources.kar]\nurl = "{url}"'))


@pytest.mark.parametrize("key", ["sources.kar.url", "store.url"])
def test_a_password_is_not_shown(write, key):
    problem = only_problem(write(f"{key} = 'mysql://me:sec/r@t@host/oai'"))
    assert "sec" not in problem
    assert "r@t" not in problem
    assert key in problem


def test_an_address_has_no_password_in_it(write):
    assert "without a user name" in only_problem(write("sources.kar.url = 'https://me:pw@host/oai'"))


@pytest.mark.parametrize("name", ["Kar", "kar kent", "-kar", "", "kár", "a/b", "*"])
def test_names_of_sources(write, name):
    problem = only_problem(write(f'[sources."{name}"]\nurl = "https://host/oai"'))
    assert problem.endswith("allowed: small letters, digits, . _ and -, a letter or digit first")


def test_an_unset_variable_is_named_with_its_key(write):
    path = write('[harvest]\ncontact = { env = "CONTACT" }\n[sources.kar]\nurl = { env = "KAR" }')
    assert problems(path) == (
        "harvest.contact: the environment variable 'CONTACT' is not set",
        "sources.kar.url: the environment variable 'KAR' is not set",
    )


def test_what_a_variable_holds_is_not_shown(write):
    path = write('store.url = { env = "DB" }')
    problem = only_problem(path, {"DB": "hunter2"})
    assert "hunter2" not in problem
    assert "what the environment variable 'DB' holds" in problem


def test_two_sources_that_fetch_the_same(write):
    other = KAR.replace("kar]", "kent]") + 'metadata_prefix = "oai_dc"\n'
    assert only_problem(write(KAR + other)).startswith("sources.kent: fetches the same as sources.kar;")
    assert len(load(write(KAR + other + 'set = "x"'), {}).sources) == 2


# The shipped file


def test_the_shipped_file_is_valid_and_has_kar():
    shipped = load(SHIPPED, {})
    assert shipped.harvest.contact == ""
    kar = Source("kar", "https://kar.kent.ac.uk/cgi/oai2", details="eprints", schedule="every 6 hours")
    assert shipped.sources == {"kar": kar}


def test_the_shipped_file_shows_each_key_with_its_explanation_and_default():
    lines = [line.removeprefix("# ") for line in SHIPPED.read_text(encoding="utf-8").splitlines()]
    for key in KEYS:
        table, _, name = f".{key.path}".rpartition(".")
        start = lines.index(f"[{table[1:].replace('*', 'NAME')}]") if table else 0
        default = msgspec.json.encode(key.default).decode()
        shown = lines.index(f"{name} = {default}", start)
        assert key.explanation in lines[shown - 1]


def test_each_key_of_the_shipped_file_is_known_once_uncommented(tmp_path):
    lines = SHIPPED.read_text(encoding="utf-8").splitlines()
    keys = [
        line.removeprefix("# ") for line in lines if " = " in line or line.startswith(("[", "# [", "# #"))
    ]
    text = "\n".join(keys).replace("NAME", "name").replace('url = ""', 'url = "sqlite:///x"', 1)
    text = text.replace('url = ""', 'url = "https://host/oai"').replace('query = ""', 'query = "x"')
    text = "\n".join(line for line in text.splitlines() if not line.startswith("Instead"))
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    assert set(load(path, {}).sources) == {"name", "kar"}


# Secrets


NOTIFY = '[notify]\nwebhook = { env = "WINDROW_WEBHOOK" }\npassword = { env = "WINDROW_PASSWORD" }\n'


def test_what_the_environment_lacks_may_stand_beside_the_file(write):
    path = write(NOTIFY)
    path.with_name("windrow.env").write_text("WINDROW_WEBHOOK=https://here/x\nWINDROW_PASSWORD='a # b $c'\n")
    notify = load(path, {"WINDROW_WEBHOOK": "https://there/y"}).notify
    assert (notify.webhook, notify.password, notify.missing) == ("https://there/y", "a # b $c", ())


def test_whom_nobody_can_tell_keeps_nobody_from_searching(write):
    notify = load(write(NOTIFY), {}).notify
    assert (notify.webhook, notify.password) == ("", "")
    assert [one.split(":")[0] for one in notify.missing] == ["notify.webhook", "notify.password"]


def test_jitter_may_be_none(write):
    assert load(write('[serve]\njitter = "0 minutes"\n'), {}).serve.jitter == timedelta(0)
    with pytest.raises(ConfigError):
        load(write('[serve]\nlongest = "0 minutes"\n'), {})


# Speed, and any input at all


def test_reading_settings_loads_nothing_slow():
    code = (
        "import sys; from pathlib import Path; from harvester.config import load; "
        f"load(Path({str(SHIPPED)!r}), {{}}); print(*sys.modules)"
    )
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, check=True, capture_output=True, text=True, cwd=SHIPPED.parent)
    assert not {"tomlkit", "cronsim", "difflib", "zoneinfo", "tzlocal"} & set(run.stdout.split())


NAMES = st.sampled_from(
    sorted({part for key in KEYS for part in key.path.split(".")} | {"env", "kar", ""})
) | st.text(max_size=5)
TEXTS = (
    st.sampled_from(["https://host/oai", "every 6 hours", "* * * * *", "0 0 31 2 *", "tantivy"]) | st.text()
)
JUNK = st.recursive(
    st.booleans()
    | st.integers()
    | st.floats()
    | TEXTS
    | st.builds(datetime, st.just(2024), st.just(1), st.just(1))
    | st.builds(date, st.just(2024), st.just(1), st.just(1))
    | st.builds(time, st.just(1)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=20,
)


def settings_or_problems(read: Callable[[], Settings]) -> Settings | tuple[str, ...]:
    try:
        return read()
    except ConfigError as error:
        return error.problems


@given(st.dictionaries(NAMES, JUNK, max_size=6), st.dictionaries(NAMES, TEXTS, max_size=3))
def test_any_document_gives_settings_or_a_config_error(document, environ):
    outcome = settings_or_problems(lambda: read_settings(document, Path("/etc/config.toml"), environ))
    assert isinstance(outcome, Settings) or all(problem.isprintable() for problem in outcome)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary()
    | st.text().map(str.encode)
    | st.dictionaries(NAMES, JUNK, max_size=4).map(tomlkit.dumps).map(str.encode)
)
def test_any_file_gives_settings_or_a_config_error(tmp_path, content):
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    assert settings_or_problems(lambda: load(path, {}))
