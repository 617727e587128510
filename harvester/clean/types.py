"""Kinds of work: what providers write → the short list of `harvester.record.TYPES`."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

_WRITTEN = {
    "article": """
        article journalarticle journalpaginated journalonlineunpaginated newspaperarticle magazinearticle
        contributiontoperiodical researcharticle journalarticlereview c6501 c2df8fbb1 articlejournal
        articlemagazine
    """,
    "book": "book monographorbook editedbook c2f33 authoredbook bookmonograph bookedited",
    "chapter": """
        chapter booksection bookchapter bookpart c3248 inbook incollection bookitem partofbook
    """,
    "thesis": """
        thesis dissertation doctoralthesis masterthesis mastersthesis bachelorthesis phdthesis doctoral phd
        thesisdissertation thesisordissertation electronicthesisordissertation dissertationthesis c46ec
        cdb06 cbdcc c7a1f yukseklisans doktora etd diplomathesis habilitation studentthesis
        academictheses theses
    """,
    "conference": """
        conference conferenceitem conferenceorworkshopitem conferencepaper conferenceobject poster
        conferenceposter conferencepresentation conferenceproceeding conferenceproceedings proceedings
        presentation conferencecontribution conferencepapernotinproceedings c5794 cc94f c6670 cf744
        conferencelecture conferencepublication proceedingspaper lecture inproceedings
        conferencepaperproceedingabstract
    """,
    # EPrints calls its reports monographs; elsewhere the word alone is rare.
    "report": """
        report monograph technicalreport workingpaper discussionpaper projectreport researchpaper
        researchreport reportorpaper researchpaperorreport technicaldocumentation c93fc c8042 c18gh
        policybrief documentation researchpaperorworkingpaper consultancyreport technicalstandard
        manualguide policybriefingreport
    """,
    "dataset": """
        dataset data researchdata experiment surveydata survey administrativerecordsdata cddb1
        experimentaldata collectionofdatasets supplementarycollectionofdatasets
    """,
    "software": "software computerprogram c5ce6 code sourcecode",
    "image": """
        image photograph stillimage picture figure map cecc8 cc513 c12cd drawing painting photo cartographic
    """,
    "audio": "audio sound soundrecording music c18cc musicrecording podcast",
    "video": "video movingimage film videorecording c8a7e c12ce movie",
    "patent": "patent c15cd",
    "preprint": "preprint c816b postedcontent",
    "review": "review bookreview cefa0 cba08 articlereview",
    "web": """
        web website webpage internet internetpublication webpagecapture blogpost blog c7ad9
        interactiveresource
    """,
    "other": """
        other artefact artifact exhibition showexhibition performance composition notatedmusic
        teachingresource learningobject lecturenotes collection manuscript misc c1843 studentwork annotation
        physicalobject event oralhistory journal periodical
    """,
}
_TYPE = {word: kind for kind, words in _WRITTEN.items() for word in words.split()}
_REVIEWED = {"peerreviewed": True, "nonpeerreviewed": False}
_VERSIONS = {
    "publishedversion": "published", "acceptedversion": "accepted", "submittedversion": "submitted",
    "draft": "draft", "updatedversion": "updated",
}  # fmt: skip
_MEDIA = {"image", "stillimage", "movingimage", "sound"}
_FOLD = str.maketrans("üıéèçö", "uieeco")
_NOT_LETTERS = re.compile(r"[\W_]+")


class Types(NamedTuple):
    """`type` one of the short list, `raw` as they were said; `version` published, accepted, submitted …"""

    type: str = ""
    raw: tuple[str, ...] = ()
    peer_reviewed: bool | None = None
    version: str = ""


@lru_cache(maxsize=4096)
def read(values: tuple[str, ...]) -> Types:
    """EPrints puts (Non)PeerReviewed among the types, info:eu-repo the version of the file."""
    keys = [_key(value) for value in values]
    return Types(
        _most_telling(part for value in values for part in value.split(";")),
        tuple(value for value, key in zip(values, keys, strict=True) if key not in _REVIEWED),
        next((_REVIEWED[key] for key in keys if key in _REVIEWED), None),
        next((_VERSIONS[key] for key in keys if key in _VERSIONS), ""),
    )


def _most_telling(values: Iterable[str]) -> str:
    """A vocabulary's URI says more than a word (MIT: "Article", then …/ConferencePaper), "other" least.

    DCMI's media say what is seen or heard, not what it is (Northern Illinois: "Image", "Conference Poster").
    """
    found = [
        (kind == "other", _key(value) in _MEDIA, ":" not in value, kind)
        for value in values
        if (kind := _kind(value))
    ]
    return min(found, key=lambda one: one[:3])[3] if found else ""


def _kind(value: str) -> str:
    return _TYPE.get(_key(value), "")


def _key(value: str) -> str:
    """The last step of a URI or prefix (`info:eu-repo/semantics/article`, `doc-type:article`), letters."""
    value = value.strip().lower()
    if "/" in value and ":" in value:
        value = value.rstrip("/").rsplit("/", 1)[-1]
    elif ":" in value:
        value = value.rsplit(":", 1)[-1]
    return _NOT_LETTERS.sub("", value.translate(_FOLD))
