"""TLS: who answers proves who it is, or it is said why not. Certificates are made here."""

import ssl
import warnings
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from harvester.config import load
from harvester.errors import TransportError, Untrusted
from harvester.transport import Transport, Trust
from index.program import Program
from tests.fakes import faults
from tests.fakes.clock import FakeClock
from tests.fakes.echo import IDENTIFY, Echo, Make, get
from tests.fakes.repository import FakeRepository, serving

HOST = "127.0.0.1"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


def presenting(*pems: trustme.Blob) -> AbstractContextManager[FakeRepository]:
    """A server with this key and these certificates, in this order."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with trustme.Blob(b"".join(pem.bytes() for pem in pems)).tempfile() as path:
        context.load_cert_chain(path)
    return serving(Echo(), tls=context)


def holding(leaf: trustme.LeafCert) -> AbstractContextManager[FakeRepository]:
    return presenting(leaf.private_key_pem, *leaf.cert_chain_pems)


def trusting(ca: str = "", *, insecure: bool = False) -> dict[str, Trust]:
    return {HOST: Trust("old", ca, insecure)}


def refused(transport: Transport, server: FakeRepository) -> Untrusted:
    with pytest.raises(Untrusted, match=f"{HOST}:[0-9]+ cannot prove who it is: ") as caught:
        get(transport, server)
    assert caught.value.advice
    assert len(server.log) == 0
    return caught.value


def test_t10_an_authority_of_ones_own_is_believed(
    authority: trustme.CA, ca: str, transport_with: Make
) -> None:
    transport = transport_with(trust=trusting(ca))
    with holding(authority.issue_cert(HOST)) as server:
        for _ in range(3):
            assert get(transport, server).body == Echo.plain
        assert server.connections == 1


def test_t10_an_unknown_authority_is_not(authority: trustme.CA, transport_with: Make) -> None:
    transport = transport_with()
    with holding(authority.issue_cert(HOST)) as server:
        error = refused(transport, server)
    assert "unknown authority" in error.message
    assert "`ca`" in error.advice
    assert transport.requests == 1  # it will say the same again


def test_nor_one_that_shows_itself(authority: trustme.CA, transport_with: Make) -> None:
    leaf = authority.issue_cert(HOST)
    with presenting(leaf.private_key_pem, *leaf.cert_chain_pems, authority.cert_pem) as server:
        assert "an authority of its own" in refused(transport_with(), server).message


def test_t10_expired(authority: trustme.CA, ca: str, transport_with: Make) -> None:
    leaf = authority.issue_cert(HOST, not_after=datetime(2020, 1, 1, tzinfo=UTC))
    with holding(leaf) as server:
        assert "has expired" in refused(transport_with(trust=trusting(ca)), server).message


def test_t10_not_valid_yet(authority: trustme.CA, ca: str, transport_with: Make) -> None:
    leaf = authority.issue_cert(
        HOST, not_before=datetime(2090, 1, 1, tzinfo=UTC), not_after=datetime(2091, 1, 1, tzinfo=UTC)
    )
    with holding(leaf) as server:
        assert "clock" in refused(transport_with(trust=trusting(ca)), server).advice


def test_t10_for_another_host(authority: trustme.CA, ca: str, transport_with: Make) -> None:
    with holding(authority.issue_cert("oai.example")) as server:
        assert "another host" in refused(transport_with(trust=trusting(ca)), server).message


def test_t10_self_signed(authority: trustme.CA, transport_with: Make) -> None:
    with presenting(authority.private_key_pem, authority.cert_pem) as server:
        assert "self-signed" in refused(transport_with(), server).message


def test_t10_an_incomplete_chain(authority: trustme.CA, ca: str, transport_with: Make) -> None:
    leaf = authority.create_child_ca().issue_cert(HOST)
    with presenting(leaf.private_key_pem, leaf.cert_chain_pems[0]) as server:
        assert "chain is incomplete" in refused(transport_with(trust=trusting(ca)), server).message
    with holding(leaf) as server:
        assert get(transport_with(trust=trusting(ca)), server).status == 200


def test_t10_old_tls(authority: trustme.CA, ca: str, transport_with: Make) -> None:
    leaf = authority.issue_cert(HOST)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with serving(Echo(), tls=context) as server:
        assert "TLS 1.0 or 1.1" in refused(transport_with(trust=trusting(ca)), server).message


def test_no_tls_at_all(transport_with: Make) -> None:
    with serving(Echo()) as server, pytest.raises(Untrusted, match="does not speak TLS") as caught:
        transport_with().get(server.url.replace("http:", "https:"), IDENTIFY)
    assert "http://" in caught.value.advice


def test_t10_insecure_is_said_by_name_once(authority: trustme.CA, transport_with: Make) -> None:
    said: list[str] = []
    transport = transport_with(trust=trusting(insecure=True), on_notice=said.append)
    with holding(authority.issue_cert("oai.example")) as server:
        for _ in range(2):
            assert get(transport, server).body == Echo.plain
    assert len(said) == 1
    assert said[0].startswith(f"old: nobody checks who {HOST} is")


def test_t10_insecure_is_for_one_host_alone(authority: trustme.CA, transport_with: Make) -> None:
    transport = transport_with(trust={"127.0.0.2": Trust("old", insecure=True)})
    with (
        holding(authority.issue_cert(HOST)) as server,
        serving(Echo(), host="127.0.0.2") as other,
    ):
        other.misbehave(faults.status(302, Location=server.url))
        with pytest.raises(Untrusted):
            get(transport, other)


@pytest.mark.parametrize("content", [None, "", "this is no certificate"])
def test_a_file_that_holds_no_certificate_is_told(
    content: str | None, authority: trustme.CA, tmp_path: Path, transport_with: Make
) -> None:
    path = tmp_path / "mine.pem"
    if content is not None:
        path.write_text(content)
    with holding(authority.issue_cert(HOST)) as server, pytest.raises(TransportError) as caught:
        get(transport_with(trust=trusting(str(path))), server)
    assert "`ca`" in f"{caught.value.message} {caught.value.advice}"


def test_config_toml_says_whom_to_believe(
    authority: trustme.CA, ca: str, tmp_path: Path, clock: FakeClock
) -> None:
    """`ca` is beside config.toml, wherever that is."""
    with holding(authority.issue_cert(HOST)) as server:
        path = tmp_path / "config.toml"
        path.write_text(f'[sources.old]\nurl = "{server.url}"\nca = "{Path(ca).name}"\n')
        with closing(Program(load(path, {}), clock)) as program:
            assert get(program.transport(), server).status == 200
