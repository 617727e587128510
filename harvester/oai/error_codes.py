"""The errors of OAI-PMH 2.0 (section 3.6), as a repository sends them → ours. Pure."""

from lxml import etree

from harvester import errors
from harvester.errors import ProtocolError
from harvester.oai.elements import OAI, string_value

_LONGEST_SAYING = 300  # characters: a server may put a page of stack trace there (FAULTS P02)

_CLASSES: dict[str, type[ProtocolError]] = {
    "badVerb": errors.BadVerb,
    "badArgument": errors.BadArgument,
    "badResumptionToken": errors.BadResumptionToken,
    "cannotDisseminateFormat": errors.CannotDisseminateFormat,
    "idDoesNotExist": errors.IdDoesNotExist,
    "noRecordsMatch": errors.NoRecordsMatch,
    "noMetadataFormats": errors.NoMetadataFormats,
    "noSetHierarchy": errors.NoSetHierarchy,
}

_ADVICE = {
    "badArgument": "`windrow check URL` says what there is; correct the source in config.toml",
    "badResumptionToken": "the repository has lost its place in the list: harvest again",
    "cannotDisseminateFormat": "`windrow check URL` lists its formats; correct its `metadata_prefix`",
    "noSetHierarchy": "take `set` out of the source in config.toml: this repository has no sets",
}


def worst_error(root: etree._Element) -> ProtocolError | None:
    """Several errors may come together; "nothing matches" is the only harmless one."""
    found = [_error(element) for element in root.findall(OAI + "error")]
    harmful = (error for error in found if not isinstance(error, errors.NoRecordsMatch))
    return next(harmful, found[0] if found else None)


def _error(element: etree._Element) -> ProtocolError:
    code = element.get("code", "")
    said = string_value(element)[:_LONGEST_SAYING]
    kind = _CLASSES.get(code, errors.UnknownErrorCode)
    return kind(
        f"the repository answers {code or 'an error without a code'}" + (f": {said}" if said else ""),
        code,
        _ADVICE.get(code, "try again later, or tell the repository"),
    )
