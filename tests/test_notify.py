"""News reaches people: by real servers, when it is time, once by each way, whatever the other way does."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import trustme

from harvester import config
from harvester.config import Settings
from harvester.errors import NotTold
from harvester.notify import Teller, is_time
from harvester.sending import send, warning
from harvester.store import Store, notices, schema
from harvester.store.notices import Kind, Notice, Way
from tests.commands import inside
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.echo import Echo
from tests.fakes.faults import free_port, in_drops
from tests.fakes.hook import Hook, hooked
from tests.fakes.post_office import PostOffice, post_office
from tests.fakes.repository import Answer, serving

PASSWORD = "c0rrect-h0rse"
FAILS = Notice(
    at="2026-06-01T12:00:00Z",
    source="kar",
    kind=Kind.FAILING,
    message="kar brought nothing this time: it blocks us (HTTP 403)",
    advice="ask its manager to let us in",
)

Configure = Callable[..., Settings]


@pytest.fixture
def hook() -> Iterator[Hook]:
    with hooked() as hook:
        yield hook


@pytest.fixture
def office() -> Iterator[PostOffice]:
    with post_office() as office:
        yield office


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(f"sqlite:///{tmp_path / 'store.db'}")) as store:
        yield store


@pytest.fixture
def teller(store: Store, clock: FakeClock) -> Teller:
    return Teller(store, clock)


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    def configure(contact: str = "", **keys: str | list[str]) -> Settings:
        """`keys` are those of [notify]."""
        path = tmp_path / "config.toml"
        lines = [f'[harvest]\ncontact = "{contact}"', "[notify]"]
        path.write_text("\n".join([*lines, *(f"{name} = {value!r}" for name, value in keys.items())]))
        return config.load(path, {})

    return configure


def add(store: Store, *new: Notice) -> None:
    with store.write() as connection:
        notices.add(connection, new)


def noticed(number: int, at: str = "2026-06-01T12:00:00Z") -> Notice:
    return Notice(at=at, source=f"source{number}", kind=Kind.RECOVERED, message=f"source{number} works again")


def untold(store: Store, way: Way = Way.WEBHOOK) -> int:
    with store.read() as connection:
        return len(notices.untold(connection, way))


def mailing(office: PostOffice) -> dict[str, str | list[str]]:
    return {"email": ["ann@uni.example", "bob@uni.example"], "smtp": office.address}


# When


def test_what_happens_together_is_told_together(store, teller, clock, hook, configure):
    settings = configure(webhook=hook.url)
    add(store, FAILS)
    clock.advance(59)
    assert teller.tell_untold(settings) == 0
    add(store, noticed(1, "2026-06-01T12:00:59Z"))
    clock.advance(1)
    assert teller.tell_untold(settings) == 2
    assert [len(one["notices"]) for one in hook.posted] == [2]
    assert teller.tell_untold(settings) == 0


def test_at_most_one_message_in_the_time_of_a_digest(store, teller, clock, hook, configure):
    settings = configure(webhook=hook.url, digest="2 hours")
    for minute in range(300):
        add(store, noticed(minute, f"2026-06-01T{12 + minute // 60}:{minute % 60:02}:00Z"))
        teller.tell_untold(settings)
        clock.advance(60)
    assert [len(one["notices"]) for one in hook.posted] == [2, 120, 120]


def test_a_digest_outlives_a_restart(store, teller, clock, hook, configure):
    settings = configure(webhook=hook.url)
    add(store, FAILS)
    clock.advance(60)
    assert teller.tell_untold(settings) == 1
    add(store, noticed(1))
    clock.advance(60)
    another = Teller(store, clock)
    assert another.tell_untold(settings) == 0
    clock.advance(3540)
    assert another.tell_untold(settings) == 1


def test_a_clock_that_is_set_back_holds_nothing_up():
    in_a_year = "2027-06-01T12:00:00Z"
    assert is_time(in_a_year, in_a_year, timedelta(hours=1), NOON)


def test_where_nobody_is_to_be_told_nothing_gathers(store, teller, clock, hook, configure):
    add(store, FAILS)
    assert teller.tell_untold(configure()) == 0
    assert (untold(store), untold(store, Way.EMAIL)) == (0, 0)
    clock.advance(60)
    assert teller.tell_untold(configure(webhook=hook.url)) == 0
    add(store, noticed(1))
    assert teller.tell_untold(configure(webhook=hook.url)) == 1


# Each way by itself


def test_both_ways_tell_the_same(store, teller, clock, hook, office, configure):
    add(store, FAILS, noticed(1))
    clock.advance(60)
    assert teller.tell_untold(configure(webhook=hook.url, **mailing(office))) == 2
    assert len(hook.posted) == len(office.mails) == 1
    assert office.mails[0].rcpt_tos == ["ann@uni.example", "bob@uni.example"]


def test_what_one_way_has_told_the_others_trouble_does_not_repeat(
    store, teller, clock, hook, office, configure
):
    settings = configure(webhook=hook.url, **mailing(office))
    office.refusals = {"": "451 try later"}
    add(store, FAILS)
    clock.advance(60)
    with pytest.raises(NotTold, match=f"e-mail by {office.address}: it answers 451 try later"):
        teller.tell_untold(settings)
    assert (untold(store), untold(store, Way.EMAIL)) == (0, 1)
    office.refusals = {}
    clock.advance(60)
    assert teller.tell_untold(settings) == 1
    assert len(hook.posted) == len(office.mails) == 1


def test_the_webhooks_trouble_keeps_no_mail_from_going(store, teller, clock, hook, office, configure):
    settings = configure(webhook=hook.url, **mailing(office))
    hook.answer = (500, {}, b"")
    add(store, FAILS)
    clock.advance(60)
    with pytest.raises(NotTold, match="answers 500"):
        teller.tell_untold(settings)
    assert (untold(store), untold(store, Way.EMAIL), len(office.mails)) == (1, 0, 1)


def test_a_way_that_fails_is_left_alone_for_ever_longer(store, teller, clock, hook, configure):
    settings = configure(webhook=hook.url)
    hook.answer = (503, {}, b"")
    add(store, FAILS)
    tried = []
    for minute in range(300):
        clock.advance(60)
        try:
            assert teller.tell_untold(settings) == 0
        except NotTold:
            tried.append(minute)
    assert tried == [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]
    hook.answer = (200, {}, b"")
    clock.advance(3600)
    assert teller.tell_untold(settings) == 1
    add(store, noticed(1))
    hook.answer = (503, {}, b"")
    clock.advance(3600)
    with pytest.raises(NotTold):
        teller.tell_untold(settings)
    hook.answer = (200, {}, b"")
    clock.advance(60)
    assert teller.tell_untold(settings) == 1


def test_more_than_a_thousand_go_in_several(store, teller, clock, hook, configure):
    add(store, *(noticed(number) for number in range(1500)))
    told = []
    for _ in range(3):
        clock.advance(3600)
        told.append(teller.tell_untold(configure(webhook=hook.url)))
    assert told == [1000, 500, 0]


# What is kept


def test_the_last_of_its_state_is_what_was_told_of_a_source(store):
    def is_failing(*kinds: Kind, of: str = "kar") -> bool:
        add(store, *(Notice(at=FAILS.at, source=of, kind=kind, message="") for kind in kinds))
        with store.read() as connection:
            return notices.is_failing(connection, "kar")

    assert not is_failing()
    assert is_failing(Kind.FAILING, Kind.HELD, Kind.QUARANTINE)
    assert is_failing(Kind.RECOVERED, of="soton")
    assert not is_failing(Kind.RECOVERED, Kind.HELD)
    assert not is_failing(Kind.FAILING, of="soton")


def test_of_what_was_told_only_the_last_are_kept(store, monkeypatch):
    monkeypatch.setattr(notices, "_KEPT", 5)
    add(store, *(noticed(number) for number in range(20)))
    with store.write() as connection:
        those = notices.untold(connection, Way.EMAIL)
        notices.told(connection, those[:18], Way.EMAIL, FAILS.at)
        assert len(notices.untold(connection, Way.WEBHOOK)) == 20
        notices.told(connection, those, Way.WEBHOOK, FAILS.at)
        assert [one.source for one in notices.untold(connection, Way.EMAIL)] == ["source18", "source19"]
        kept = connection.scalars(sa.select(schema.notices.c.id).order_by(schema.notices.c.id)).all()
    assert kept == [16, 17, 18, 19, 20]


# The webhook


def test_what_a_webhook_gets(store, teller, clock, hook, configure):
    add(store, FAILS)
    clock.advance(60)
    teller.tell_untold(configure(webhook=hook.url))
    (posted,), (headers,) = hook.posted, hook.headers
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"].startswith("Windrow/")
    assert posted["machine"] == socket.gethostname()
    assert posted["program"].startswith("windrow 0.")
    assert posted["notices"] == [
        {
            "at": FAILS.at,
            "source": "kar",
            "kind": "failing",
            "message": FAILS.message,
            "advice": FAILS.advice,
        }
    ]
    assert posted["text"].splitlines() == [
        f"Windrow on {socket.gethostname()}: failing: kar",
        "failing:",
        f"• {FAILS.message} → {FAILS.advice}",
    ]


def test_a_redirect_is_not_followed(hook, configure):
    with hooked() as elsewhere:
        hook.answer = (307, {"Location": elsewhere.url}, b"")
        with pytest.raises(NotTold, match=r"leads elsewhere \(307\)"):
            send(Way.WEBHOOK, [FAILS], configure(webhook=hook.url), NOON)
        assert elsewhere.posted == []


def test_an_answer_without_end_is_not_read(hook, configure):
    hook.answer = (200, {"Content-Length": "1000000000000"}, b"x")
    assert send(Way.WEBHOOK, [FAILS], configure(webhook=hook.url), NOON) is None


@pytest.mark.parametrize(
    ("webhook", "says"),
    [
        ("http://127.0.0.1:{free}/T0/s3cret?token=t0ken", "connection refused"),
        ("http://no.such.host.invalid/T0/s3cret?token=t0ken", "no.such.host.invalid cannot be reached"),
        ("http://user:t0ken@127.0.0.1:{free}/s3cret", "connection refused"),
        ("http://127.0.0.1:99999/s3cret/t0ken", "webhook: "),
        ("https://{hook}/s3cret/t0ken", "does not speak TLS"),
    ],
)
def test_a_fault_names_the_host_and_no_secret(webhook, says, hook, configure):
    url = webhook.format(free=free_port(), hook=hook.url.split("/")[2])
    with pytest.raises(NotTold, match=says) as raised:
        send(Way.WEBHOOK, [FAILS], configure(webhook=url), NOON)
    told = raised.value.message + raised.value.advice
    assert "s3cret" not in told
    assert "t0ken" not in told


def test_a_name_and_password_in_the_address_are_sent_and_netrc_is_not(hook, configure, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password mine")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    send(Way.WEBHOOK, [FAILS], configure(webhook=hook.url), NOON)
    send(Way.WEBHOOK, [FAILS], configure(webhook=hook.url.replace("//", "//hook:pass@")), NOON)
    assert [headers["Authorization"] for headers in hook.headers] == [None, "Basic aG9vazpwYXNz"]


# E-mail


def test_what_a_mail_says(office, configure):
    send(Way.EMAIL, [FAILS], configure(**mailing(office), contact="me@uni.example"), NOON)
    (mail,), (envelope,) = office.read, office.mails
    machine = socket.gethostname()
    assert mail["Subject"] == f"Windrow on {machine}: failing: kar"
    assert mail["From"] == "Windrow <me@uni.example>"
    assert mail["To"] == "ann@uni.example, bob@uni.example"
    assert mail["Date"] == "Mon, 01 Jun 2026 12:00:00 +0000"
    assert mail["Message-ID"].endswith("@uni.example>")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert envelope.mail_from == "me@uni.example"
    assert mail.get_content().splitlines()[:7] == [
        "Failing",
        "",
        "  kar brought nothing this time: it blocks us (HTTP 403) (01 Jun 2026",
        "  12:00 UTC)",
        "  → ask its manager to let us in",
        "",
        "`windrow status` says how each source stands.",
    ]


def test_who_sends_it(office, configure):
    for keys in (
        {"sender": "windrow@uni.example", "contact": "me@uni.example"},
        {"contact": "me@uni.example"},
        {},
    ):
        send(Way.EMAIL, [FAILS], configure(**mailing(office), **keys), NOON)
    senders = [mail.mail_from for mail in office.mails]
    assert senders == ["windrow@uni.example", "me@uni.example", "ann@uni.example"]


def test_one_who_is_refused_keeps_no_mail_from_the_others(store, teller, clock, office, configure):
    office.refusals = {"bob@uni.example": "550 no such user"}
    add(store, FAILS)
    clock.advance(60)
    with pytest.raises(NotTold, match=r"refused for bob@uni\.example \(550 no such user\)"):
        teller.tell_untold(configure(**mailing(office)))
    assert [mail.rcpt_tos for mail in office.mails] == [["ann@uni.example"]]
    assert untold(store, Way.EMAIL) == 0


def test_a_rude_goodbye_sends_nothing_again(office, configure):
    office.goodbye = "421 go away"
    assert send(Way.EMAIL, [FAILS], configure(**mailing(office)), NOON) is None
    assert len(office.mails) == 1


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def believed(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))


def server_tls(authority: trustme.CA, name: str = "localhost") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_under_tls_with_a_password(security, believed, authority, configure):
    with post_office(server_tls(authority), at_once=security == "tls") as office:
        keys = {"security": security, "user": "me", "password": "right", **mailing(office)}
        send(Way.EMAIL, [FAILS], configure(**keys), NOON)
        assert office.logins == [("me", "right")]
        assert len(office.mails) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("name", ["localhost", "mail.elsewhere.example"])
def test_who_cannot_prove_who_he_is_gets_no_password(security, name, authority, configure, request):
    if name != "localhost":
        request.getfixturevalue("believed")
    with post_office(server_tls(authority, name), at_once=security == "tls") as office:
        keys = {"security": security, "user": "me", "password": PASSWORD, **mailing(office)}
        with pytest.raises(NotTold, match="cannot prove who it is"):
            send(Way.EMAIL, [FAILS], configure(**keys), NOON)
        assert (office.logins, office.mails) == ([], [])


def test_a_server_without_starttls_gets_no_password(office, configure):
    keys = {"security": "starttls", "user": "me", "password": PASSWORD, **mailing(office)}
    with pytest.raises(NotTold, match="STARTTLS"):
        send(Way.EMAIL, [FAILS], configure(**keys), NOON)
    assert (office.logins, office.mails) == ([], [])


@pytest.mark.parametrize("password", [PASSWORD, "pässwörd"])
def test_a_password_is_in_no_message(password, office, configure):
    with pytest.raises(NotTold) as raised:
        send(Way.EMAIL, [FAILS], configure(user="me", password=password, **mailing(office)), NOON)
    assert "password" in raised.value.message
    assert password not in str(raised.value)
    assert "ä" not in str(raised.value)


def test_a_server_that_is_not_there(configure):
    smtp = f"localhost:{free_port()}"
    with pytest.raises(NotTold, match=f"e-mail by {smtp}: Connection refused"):
        send(Way.EMAIL, [FAILS], configure(email=["ann@uni.example"], smtp=smtp), NOON)


def test_what_is_no_address_is_said(office, configure):
    with pytest.raises(NotTold, match="e-mail by"):
        send(Way.EMAIL, [FAILS], configure(email=["a..b,c@uni.example"], smtp=office.address), NOON)
    assert office.mails == []


def test_no_way_hangs_for_ever(monkeypatch, configure):
    """A mail server that says nothing."""
    monkeypatch.setattr("harvester.sending._ANSWER", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(NotTold, match="timed out"):
            send(Way.EMAIL, [FAILS], configure(email=["ann@uni.example"], smtp=f"127.0.0.1:{port}"), NOON)
        with pytest.raises(NotTold, match="did not answer in time"):
            send(Way.WEBHOOK, [FAILS], configure(webhook=f"http://127.0.0.1:{port}/"), NOON)


@pytest.mark.parametrize("head", [b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nX-Slow: "], ids=["status", "headers"])
def test_a_webhook_that_drips_is_ended(head, monkeypatch, configure):
    """Each byte is an answer in time, so that only the whole can be too late."""
    monkeypatch.setattr("harvester.sending._WHOLE", 0.3)
    with serving(Echo()) as server:

        def drops() -> Iterator[bytes]:
            yield head
            while not server.ending.wait(0.02):
                yield b"0"

        server.misbehave(lambda _asked, _answer: Answer(b"", framing="wire", parts=drops()))
        with pytest.raises(NotTold, match=r"webhook: 127\.0\.0\.1:\d+ had not finished answering"):
            send(Way.WEBHOOK, [FAILS], configure(webhook=server.url), NOON)


def test_of_a_body_that_drips_nothing_is_waited_for(configure):
    with serving(Echo()) as server:
        drops = in_drops(bytes(10**6), 1, lambda: server.ending.wait(0.02))
        server.misbehave(lambda _asked, _answer: drops)
        assert send(Way.WEBHOOK, [FAILS], configure(webhook=server.url), NOON) is None


@pytest.mark.parametrize(
    ("keys", "is_unwise"),
    [
        ({"smtp": "mail.uni.example:25"}, True),
        ({"smtp": "10.0.0.1:25"}, True),
        ({"smtp": "mail.uni.example:587", "security": "starttls"}, False),
        ({"smtp": "mail.uni.example:465", "security": "tls"}, False),
        ({"smtp": "mail.uni.example:25", "user": "", "password": ""}, False),
        ({"smtp": "mail.uni.example:25", "email": []}, False),
        *(({"smtp": f"{host}:25"}, False) for host in ("localhost", "127.0.0.9")),
    ],
)
def test_a_password_in_clear_is_unwise(keys, is_unwise, configure):
    with_password = {"user": "me", "password": PASSWORD, "email": ["ann@uni.example"], "security": "none"}
    said = warning(configure(**{**with_password, **keys}).notify)
    assert bool(said) == is_unwise
    assert not said or said.startswith(f"the password goes to {keys['smtp']} in clear: ")
    assert PASSWORD not in said


# windrow notify --test


def test_a_trial_warns_of_a_password_in_clear(tmp_path, capsys, configure):
    smtp = "no.such.host.invalid:25"
    configure(email=["ann@uni.example"], smtp=smtp, security="none", user="me", password=PASSWORD)
    ran = inside(tmp_path, capsys, "notify", "--test")
    assert ran.code == 1
    assert ran.err.splitlines()[0].startswith(f"Warning: the password goes to {smtp} in clear: ")


def test_a_trial_goes_by_each_way(tmp_path, capsys, hook, office, configure):
    configure(webhook=hook.url, **mailing(office))
    ran = inside(tmp_path, capsys, "notify", "--test")
    assert (ran.code, ran.err) == (0, "")
    host = hook.url.split("/")[2]
    assert ran.out == f"Sent to {host}.\nSent to ann@uni.example, bob@uni.example.\n"
    assert hook.posted[0]["notices"][0]["kind"] == "test"
    assert office.read[0]["Subject"] == f"Windrow on {socket.gethostname()}: a test: windrow"
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("posted", "refusals", "code"),
    [
        (200, {"": "451 no"}, 3),
        (500, {}, 3),
        (500, {"": "451 no"}, 1),
        (200, {"bob@uni.example": "550 no such user"}, 3),
    ],
)
def test_a_trial_says_which_way_fails(posted, refusals, code, tmp_path, capsys, hook, office, configure):
    hook.answer, office.refusals = (posted, {}, b""), refusals
    configure(webhook=hook.url, **mailing(office))
    ran = inside(tmp_path, capsys, "notify", "--test")
    assert ran.code == code
    assert ran.err.startswith("windrow: ")
    assert "  → check " in ran.err


def test_a_trial_with_nobody_to_be_told(tmp_path, capsys, configure):
    configure()
    ran = inside(tmp_path, capsys, "notify", "--test")
    assert ran.code == 2
    assert "names nobody to be told" in ran.err


def test_without_a_trial_there_is_nothing_to_do(tmp_path, capsys, configure):
    configure()
    ran = inside(tmp_path, capsys, "notify")
    assert ran.code == 2
    assert "--test sends a message now" in ran.err
