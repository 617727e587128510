"""One HTTP exchange with a repository, bounded in every direction.

exchange.py    the request, its redirects, its refusals
asking.py      the query's encoding, GET or POST
retries.py     the same question again, and the wait before it
politeness.py  one request in flight per host, and the gap that a busy host asked for
neighbours.py  other processes at the same host
addresses.py   whom the socket is connected to
redirects.py   where a redirect leads. Pure
pace.py        the deadline and the least rate, at each arrival of bytes
body.py        compression undone under caps. Pure
words.py       what went wrong, in words and by class

Proxies are those of the environment (HTTPS_PROXY, HTTP_PROXY, NO_PROXY), as institutions set them; ~/.netrc
is not read, so that no password of the user's goes to a host because of its name.
"""

from harvester.transport.asking import differs_verbatim, own_arguments
from harvester.transport.exchange import Transport
from harvester.transport.limits import Limits, Response, Trust, Wait, trust_of
from harvester.transport.politeness import Turns, turns_on

__all__ = [
    "Limits",
    "Response",
    "Transport",
    "Trust",
    "Turns",
    "Wait",
    "differs_verbatim",
    "own_arguments",
    "trust_of",
    "turns_on",
]
