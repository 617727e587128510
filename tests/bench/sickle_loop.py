"""What everybody writes first: read all records with Sickle, write them as JSON."""

import json
import sys
from pathlib import Path

from sickle import Sickle

with Path("/dev/null").open("w", encoding="utf-8") as sink:
    count = 0
    for record in Sickle(sys.argv[1]).ListRecords(metadataPrefix="oai_dc"):
        sink.write(json.dumps({"id": record.header.identifier, **record.metadata}))
        count += 1
print(count)
