"""News as text: in order, within bounds, and nothing in it but text."""

import re

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from harvester.digest import mail, subject, webhook_body
from harvester.store.notices import Kind, Notice

NOW = "2026-06-01T12:00:00Z"
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def notice(
    source: str = "kar", kind: Kind = Kind.FAILING, message: str = "it broke", advice: str = ""
) -> Notice:
    return Notice(at=NOW, source=source, kind=kind, message=message, advice=advice)


def mailed(*notices: Notice) -> str:
    content = mail(notices, "box", "me@uni.example", ["ann@uni.example"], NOW).get_content()
    assert isinstance(content, str)
    return content.replace("\r\n", "\n")


def chatted(*notices: Notice) -> str:
    text = msgspec.json.decode(webhook_body(notices, "box"))["text"]
    assert isinstance(text, str)
    return text


def test_the_subject_says_what_is_up_the_worst_first() -> None:
    news = [
        notice("ox", Kind.RECOVERED),
        notice("kar"),
        notice("kar"),
        notice("soton"),
        *(notice(f"q{number}", Kind.QUARANTINE) for number in range(1200)),
    ]
    assert subject(news, "box") == (
        "Windrow on box: failing: kar, soton; quarantine growing: 1,200 sources; working again: ox"
    )


def test_each_kind_has_its_heading() -> None:
    for kind in Kind:
        assert subject([notice(kind=kind)], "box").startswith("Windrow on box: ")


def test_many_are_counted_not_listed() -> None:
    news = [notice(f"source{number}", message=f"source{number} broke") for number in range(250)]
    for text in (mailed(*news), chatted(*news)):
        assert text.count(" broke") == 100
        assert "And 150 more." in text
    assert len(msgspec.json.decode(webhook_body(news, "box"))["notices"]) == 250


def test_lines_of_a_mail_are_short_but_for_addresses() -> None:
    url = "https://repository.example/" + "x" * 200
    lines = mailed(notice(message="one two " * 50 + url, advice="three four " * 30)).splitlines()
    assert all(len(line) <= 72 or url in line for line in lines)
    assert f"  {url}" in lines


def test_nobody_is_called_by_a_chat() -> None:
    text = chatted(notice(message="<!channel> @all <http://evil.example|look> &lt;!here&gt;"))
    assert "<" not in text
    assert ">" not in text
    assert "@all" not in text
    assert "‹!channel›" in text


@given(st.text(), st.text(), st.text())
def test_what_a_provider_says_is_text(source: str, message: str, advice: str) -> None:
    """No header of its own, no line of its own, nothing that a terminal obeys."""
    evil = notice(source, message=message, advice=advice)
    sent = mail([evil], "box", "me@uni.example", ["ann@uni.example"], NOW)
    assert sorted(sent.keys()) == sorted(mail([notice()], "box", "a@b.example", ["a@b.example"], NOW).keys())
    assert not CONTROL.search(sent["Subject"] + mailed(evil))
    assert "\n" not in sent["Subject"]
    assert not CONTROL.search(chatted(evil))
    (told,) = msgspec.json.decode(webhook_body([evil], "box"))["notices"]
    assert not CONTROL.search("".join(told.values()))
    assert "\n" not in told["message"]


def test_a_header_cannot_be_put_in() -> None:
    evil = notice("kar\r\nBcc: all@uni.example\r\n\r\nhello", message="x\r\n.\r\nMAIL FROM:<a@b>")
    sent = mail([evil], "box\nX-Evil: 1", "me@uni.example", ["ann@uni.example"], NOW).as_bytes()
    assert b"\nBcc:" not in sent
    assert b"\nX-Evil:" not in sent
    assert b"\n.\r\n" not in sent


def test_a_message_without_end_is_cut() -> None:
    assert len(mailed(notice(message="x" * 10_000_000))) < 2500
    assert len(chatted(notice(message="a b " * 10_000_000))) < 1500
