"""OpenAIRE's guidelines 4 for literature: DataCite's kernel with citation, files and access rights.

EPrints' plug-in 1.1 binds the prefix `dc` to another namespace; local names are all that is looked at.
"""

from lxml.etree import _Element

from harvester.clean import licences
from harvester.formats import _kernel
from harvester.formats._facts import Facts, Table
from harvester.formats._reading import Reading, find, local, namespace, value
from harvester.record import File, Record

_TABLE: Table = {
    "citationTitle": "container", "citationVolume": "volume", "citationIssue": "issue",
    "source": "source", "format": "format", "relation": "relation",
    "licenseCondition": "rights",
}  # fmt: skip
_ACCESS = {"c_abf2": "open", "c_16ec": "restricted", "c_f1cf": "embargoed", "c_14cb": "restricted"}
_VERSIONS = {
    "c_970fb48d4fbd8a85": "published", "c_ab4af688f83e57aa": "accepted", "c_71e4c1898caa6e32": "submitted",
    "c_b1a7d7d4d402bcce": "draft", "c_dc82b40f9837b551": "updated", "c_e19f295774971610": "corrected",
}  # fmt: skip


def accepts(element: _Element) -> bool:
    """DataCite's root is called `resource`, too, and ESS puts OpenAIRE's elements into DataCite's."""
    return local(element.tag) == "resource" and any(
        "openaire" in namespace(one.tag) for one in (element, *element.iterchildren("*"))
    )


def normalise(element: _Element) -> Record:
    facts, reading = Facts(), Reading(element)
    for kind in reading.take("resourceType"):
        _kernel.say_type(facts, kind, kind.get("uri", ""))
    _read_licence(facts, reading)
    facts.fill(reading, _TABLE)
    facts.say("pages", _pages(reading))
    _read_files(facts, reading)
    _kernel.fill(facts, reading)
    return facts.record("oai_openaire", reading.rest())


def _pages(reading: Reading) -> str:
    ends = (reading.text("citationStartPage"), reading.text("citationEndPage"))
    return "-".join(filter(None, ends))


def _read_licence(facts: Facts, reading: Reading) -> None:
    for element in find(reading.root, "licenseCondition"):
        facts.say("rights", element.get("uri", ""))


def _read_files(facts: Facts, reading: Reading) -> None:
    said = [_version(element) for element in reading.take("version")]
    facts.keep("version", *(value(element) for element in reading.take("version")))
    licence = licences.choose(facts.texts("rights"))
    for element in reading.take("file"):
        access = _ACCESS.get(_last(element.get("accessRightsURI", "")), "")
        media = element.get("mimeType", "")
        version = next(iter(said), "")
        facts.files.append(File(value(element), media, license=licence, access=access, version=version))


def _version(element: _Element) -> str:
    return _VERSIONS.get(_last(element.get("uri", "")), "")


def _last(uri: str) -> str:
    return uri.rstrip("/").rsplit("/", 1)[-1]
