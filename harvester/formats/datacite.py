"""DataCite's kernel 2 to 4, bare or in the wrapper `oai_datacite`."""

from lxml.etree import _Element

from harvester.formats import _kernel
from harvester.formats._facts import Facts, typed
from harvester.formats._reading import Reading, find, first, local, value
from harvester.record import Record

_KERNEL = ("titles", "creators", "publicationYear", "resourceType", "identifier")


def accepts(element: _Element) -> bool:
    """OpenAIRE's root is called `resource`, too, but says no year of publication."""
    resource = _resource(element)
    return resource is not None and sum(bool(find(resource, name)) for name in _KERNEL) >= 2


def _resource(element: _Element) -> _Element | None:
    if local(element.tag) == "resource":
        return element
    wrapped = local(element.tag) == "oai_datacite"
    return next(iter(find(element, ".//resource")), None) if wrapped else None


def normalise(element: _Element) -> Record:
    resource = _resource(element)
    facts, reading = Facts(), Reading(element if resource is None else resource)
    _kernel.fill(facts, reading)
    for kind in reading.take("resourceType"):
        _kernel.say_type(facts, kind, kind.get("resourceTypeGeneral", ""))
    _read_items(facts, reading)
    return facts.record("datacite", reading.rest())


def _read_items(facts: Facts, reading: Reading) -> None:
    """Related items (kernel 4.4): the one it is published in is its container."""
    for item in find(reading.root, "relatedItems/relatedItem"):
        if item.get("relationType") == "IsPublishedIn":
            _read_host(facts, reading, item)
        else:
            facts.say("relation", first(item, "titles/title"))
            reading.take("titles/title", item)


def _read_host(facts: Facts, reading: Reading, item: _Element) -> None:
    facts.say("container", reading.text("titles/title", item))
    facts.say("volume", reading.text("volume", item))
    facts.say("issue", reading.text("issue", item))
    pages = (reading.text("firstPage", item), reading.text("lastPage", item))
    facts.say("pages", "-".join(filter(None, pages)))
    for number in reading.take("relatedItemIdentifier", item):
        facts.say("identifier", typed(number.get("relatedItemIdentifierType", ""), value(number)))
