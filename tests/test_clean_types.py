import pytest

from harvester.clean import types
from harvester.record import TYPES


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (("Article",), "article"),
        (("Journal (On-line/Unpaginated)",), "article"),
        (("Conference or Workshop Item",), "conference"),
        (("Book Section",), "chapter"),
        (("book_section",), "chapter"),
        (("Internet publication",), "web"),
        (("internet",), "web"),
        (("Monograph",), "report"),
        (("Yüksek lisans",), "thesis"),
        (("info:eu-repo/semantics/article", "info:eu-repo/semantics/publishedVersion"), "article"),
        (("Article", "http://purl.org/eprint/type/ConferencePaper"), "conference"),
        (("http://purl.org/coar/resource_type/c_ddb1",), "dataset"),
        (("info:eu-repo/semantics/other", "Technical Report"), "report"),
        (("Other",), "other"),
        (("text",), ""),
        (("none",), ""),
        ((), ""),
    ],
)
def test_the_short_list(said: tuple[str, ...], kind: str) -> None:
    assert types.read(said).type == kind


def test_what_eprints_says_among_the_types() -> None:
    found = types.read(("Article", "NonPeerReviewed"))
    assert found == types.Types("article", ("Article",), peer_reviewed=False)
    assert types.read(("PeerReviewed",)).peer_reviewed is True
    assert types.read(("Article",)).peer_reviewed is None


def test_the_version_of_the_file() -> None:
    assert types.read(("info:eu-repo/semantics/acceptedVersion",)).version == "accepted"


def test_only_the_records_own_types_are_given() -> None:
    assert set(types._WRITTEN) == set(TYPES)
