"""What an EPrints knows of a record and its list leaves out, fetched beside the list.

waiting in the store ─▶ ways.py: the one that is open ─▶ a year at a time where many wait, else one by one
                     ─▶ merged with the list's form ─▶ a transaction for each answer

The queue is the store's: records whose datestamp is another one than their detail was asked for.
"""

from harvester.details.fetching import LIMITS, Detailed, fetch_details
from harvester.details.ways import TOLD

__all__ = ["LIMITS", "TOLD", "Detailed", "fetch_details"]
