"""How a repository wants its token back: as the specification says, or as it has shown in this run. Pure."""

from collections.abc import Mapping

import msgspec

from harvester.errors import BadArgument, BadResumptionToken, HttpStatus, WindrowError
from harvester.transport import differs_verbatim


class Manner(msgspec.Struct, frozen=True):
    """`verbatim`: not encoded, for servers that read the address as it came (FAULTS H17: DASH), or that hand
    out tokens encoded already (Janeway). `with_prefix`: not alone (P19). `proven`: a token came through whose
    two forms differ, so that one which is refused now has expired.
    """

    verbatim: bool = False
    with_prefix: bool = False
    proven: bool = False

    def after(
        self, refusal: WindrowError, asked: Mapping[str, str], of: Mapping[str, str]
    ) -> "Manner | None":
        """The other one that is worth a try; None where the refusal is not about the token's form."""
        token = asked.get("resumptionToken", "")
        if isinstance(refusal, BadArgument):
            may = bool(token) and not self.with_prefix and "metadataPrefix" in of
            return msgspec.structs.replace(self, with_prefix=True) if may else None
        failed = isinstance(refusal, HttpStatus) and refusal.status == 500
        refused = failed or isinstance(refusal, BadResumptionToken)
        if refused and not self.proven and differs_verbatim(token):
            return msgspec.structs.replace(self, verbatim=True)
        return None

    def worked(self, asked: Mapping[str, str]) -> "Manner":
        """What an answer to `asked` teaches."""
        if self.proven or not differs_verbatim(asked.get("resumptionToken", "")):
            return self
        return msgspec.structs.replace(self, proven=True)

    def dressed(self, asked: Mapping[str, str], of: Mapping[str, str]) -> Mapping[str, str]:
        """What is sent."""
        if self.with_prefix and "resumptionToken" in asked and "metadataPrefix" in of:
            return {**asked, "metadataPrefix": of["metadataPrefix"]}
        return asked
