"""The tables of today; `migrations` leads to them.

`id` of a record is the position at which it was first stored.

feed        one row: the last position given out; taking it is taking the lock for the append
moments     at what time which position was the last one given out, once a minute of harvesting
sources     what is harvested, how far (watermark), and who is harvesting it now (lease, fence)
harvests    one run over one source: what was asked for, the checkpoint, counts, the verdict
records     the change feed, in order of position; tombstones have neither record nor raw
raw         what the record was made from: forms `list`, `sent` where that was repaired, and `detail`
quarantine  what was received and could not be kept as a record
schedules   when each source is due next
notices     what somebody is to be told, and when each way did
listed      the identifiers of a ListIdentifiers pass, while one runs
"""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

tables = MetaData()

meta = Table("meta", tables, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))

feed = Table(
    "feed",
    tables,
    Column("id", Integer, primary_key=True),
    Column("position", Integer, nullable=False),
)

moments = Table(
    "moments",
    tables,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
)

sources = Table(
    "sources",
    tables,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("fingerprint", Text, nullable=False),  # of the request: another address or set starts anew
    Column("watermark", Text),
    Column("last_full", Integer),  # records in the last full list whose end was reached
    Column("doubted", Boolean, nullable=False, default=False),  # the last run ended unproven
    Column("live", Integer, nullable=False, default=0),
    Column("tombstones", Integer, nullable=False, default=0),
    Column("lease_holder", Text),
    Column("lease_expires", Float),  # seconds since 1970, UTC
    Column("fence", Integer, nullable=False, default=0),
    Column("gap", Float, nullable=False, default=0),  # seconds between requests that a busy host was left
    Column("held", Integer, nullable=False, default=0),  # tombstones that the last run did not believe
    Column("dates", Text, nullable=False, default=""),  # sources.Dates: what it makes of from and until
    Column("echo", Text, nullable=False, default=""),  # from when the last proven run was, and its sum
    Column("audited", Text),  # when all of its identifiers were last held against the store
    Column("read_whole", Text),  # when its whole list was last read and proven
    Column("removed", Text),  # since when; the row stays, for its tombstones and its fence
    Column("renormalising", Text),  # JSON: originals.Progress of a pass that has not come to its end
    Column("detail_way", Text, nullable=False, default=""),  # the way to details that was open last
    Column("failures", Integer, nullable=False, default=0),  # runs in a row that brought nothing
    Column("failing_since", Text, nullable=False, default=""),  # when the first of them ended
)

schedules = Table(
    "schedules",
    tables,
    Column("source", Text, primary_key=True),
    Column("schedule", Text, nullable=False),  # as config.toml had it
    Column("run", Text, nullable=False),  # what it was reckoned from: the last run, and how that ended
    Column("due", Text, nullable=False),
)

notices = Table(
    "notices",
    tables,
    Column("id", Integer, primary_key=True),
    Column("at", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("advice", Text, nullable=False),
    Column("posted", Text),  # when it went to the webhook; NULL: it has still to be
    Column("mailed", Text),  # the same of e-mail
)

harvests = Table(
    "harvests",
    tables,
    Column("id", Integer, primary_key=True),
    Column("source_id", ForeignKey("sources.id"), nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("started", Text, nullable=False),
    Column("finished", Text),
    Column("request", Text, nullable=False),  # JSON: harvests.Request
    Column("checkpoint", Text, nullable=False),  # JSON: harvests.Checkpoint
    Column("verdict", Text),  # NULL while the run is under way, or was cut off
    Column("reason", Text, nullable=False, default=""),
    Column("error", Text, nullable=False, default=""),
    Column("watermark", Text),
    Index("harvests_of_source", "source_id", "id"),
)

records = Table(
    "records",
    tables,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("source_id", ForeignKey("sources.id"), nullable=False),
    Column("identifier", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("datestamp", Text, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("sets", Text, nullable=False),  # JSON
    Column("content_hash", LargeBinary),
    Column("record", LargeBinary),
    Column("forgotten", Text),  # since when; the row is a tombstone that nothing delivered replaces
    Column("detail_of", Text),  # the datestamp that its detail was asked for; another one: it is wanted
    Column("detail_tries", Integer, nullable=False, default=0),  # in vain, since it was wanted
    UniqueConstraint("source_id", "identifier", name="one_row_per_identifier"),
    Index("records_by_position", "position", unique=True),
)

raw = Table(
    "raw",
    tables,
    Column("record_id", ForeignKey("records.id"), primary_key=True, autoincrement=False),
    Column("form", Text, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

quarantine = Table(
    "quarantine",
    tables,
    Column("id", Integer, primary_key=True),
    Column("source_id", ForeignKey("sources.id"), nullable=False),
    Column("identifier", Text, nullable=False),
    Column("datestamp", Text, nullable=False),
    Column("since", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("sets", Text, nullable=False, server_default="[]"),  # JSON
    Column("unfetched", Boolean, nullable=False, server_default="0"),  # the repository could not give it
    Index("quarantine_of_source", "source_id", "identifier"),
)

listed = Table(
    "listed",
    tables,
    Column("harvest_id", ForeignKey("harvests.id"), primary_key=True, autoincrement=False),
    Column("identifier", Text, primary_key=True),
    Column("deleted", Boolean, nullable=False),
    Column("datestamp", Text, nullable=False, server_default=""),
    sqlite_with_rowid=False,
)
