"""What made a store of each version into one of the next. Append only, and never import the tables of today:
a released migration makes tomorrow what it made when it was written.
"""

import uuid
from collections.abc import Callable

import sqlalchemy as sa
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
from sqlalchemy.engine import Connection

_FIRST = MetaData()

Table("meta", _FIRST, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))

Table(
    "feed",
    _FIRST,
    Column("id", Integer, primary_key=True),
    Column("position", Integer, nullable=False),
)

Table(
    "sources",
    _FIRST,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("fingerprint", Text, nullable=False),
    Column("watermark", Text),
    Column("last_full", Integer),
    Column("doubted", Boolean, nullable=False, default=False),
    Column("live", Integer, nullable=False, default=0),
    Column("tombstones", Integer, nullable=False, default=0),
    Column("lease_holder", Text),
    Column("lease_expires", Float),
    Column("fence", Integer, nullable=False, default=0),
)

Table(
    "harvests",
    _FIRST,
    Column("id", Integer, primary_key=True),
    Column("source_id", ForeignKey("sources.id"), nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("started", Text, nullable=False),
    Column("finished", Text),
    Column("request", Text, nullable=False),
    Column("checkpoint", Text, nullable=False),
    Column("verdict", Text),
    Column("reason", Text, nullable=False, default=""),
    Column("error", Text, nullable=False, default=""),
    Column("watermark", Text),
    Index("harvests_of_source", "source_id", "id"),
)

Table(
    "records",
    _FIRST,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("source_id", ForeignKey("sources.id"), nullable=False),
    Column("identifier", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("datestamp", Text, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("sets", Text, nullable=False),
    Column("content_hash", LargeBinary),
    Column("record", LargeBinary),
    UniqueConstraint("source_id", "identifier", name="one_row_per_identifier"),
    Index("records_by_position", "position", unique=True),
)

Table(
    "raw",
    _FIRST,
    Column("record_id", ForeignKey("records.id"), primary_key=True, autoincrement=False),
    Column("form", Text, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

Table(
    "quarantine",
    _FIRST,
    Column("id", Integer, primary_key=True),
    Column("source_id", ForeignKey("sources.id"), nullable=False),
    Column("identifier", Text, nullable=False),
    Column("datestamp", Text, nullable=False),
    Column("since", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("quarantine_of_source", "source_id", "identifier"),
)

Table(
    "listed",
    _FIRST,
    Column("harvest_id", ForeignKey("harvests.id"), primary_key=True, autoincrement=False),
    Column("identifier", Text, primary_key=True),
    Column("deleted", Boolean, nullable=False),
    sqlite_with_rowid=False,
)


def _create_everything(connection: Connection) -> None:
    _FIRST.create_all(connection)
    connection.execute(sa.insert(_FIRST.tables["meta"]), {"key": "store_id", "value": str(uuid.uuid4())})
    connection.execute(sa.insert(_FIRST.tables["feed"]), {"id": 1, "position": 0})


def _keep_sets_in_quarantine(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE quarantine ADD COLUMN sets TEXT DEFAULT '[]' NOT NULL")


def _remember_what_to_forget(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE records ADD COLUMN forgotten TEXT")


def _remember_removed_sources(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE sources ADD COLUMN removed TEXT")


def _remember_gaps(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE sources ADD COLUMN gap FLOAT DEFAULT 0 NOT NULL")


def _remember_how_far_a_renormalising_came(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE sources ADD COLUMN renormalising TEXT")


def _remember_what_was_doubted(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE listed ADD COLUMN datestamp TEXT DEFAULT '' NOT NULL")
    connection.exec_driver_sql("ALTER TABLE quarantine ADD COLUMN unfetched BOOLEAN DEFAULT 0 NOT NULL")
    connection.exec_driver_sql("ALTER TABLE sources ADD COLUMN held INTEGER DEFAULT 0 NOT NULL")
    connection.exec_driver_sql("ALTER TABLE sources ADD COLUMN dates TEXT DEFAULT '' NOT NULL")
    connection.exec_driver_sql("ALTER TABLE sources ADD COLUMN echo TEXT DEFAULT '' NOT NULL")
    connection.exec_driver_sql("ALTER TABLE sources ADD COLUMN audited TEXT")
    connection.exec_driver_sql("ALTER TABLE sources ADD COLUMN read_whole TEXT")


def _remember_details(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE records ADD COLUMN detail_of TEXT")
    connection.exec_driver_sql("ALTER TABLE records ADD COLUMN detail_tries INTEGER DEFAULT 0 NOT NULL")
    connection.exec_driver_sql("ALTER TABLE sources ADD COLUMN detail_way TEXT DEFAULT '' NOT NULL")


def _remember_when_positions_were_given_out(connection: Connection) -> None:
    connection.exec_driver_sql(
        "CREATE TABLE moments (position INTEGER NOT NULL PRIMARY KEY, at TEXT NOT NULL)"
    )


def _remember_what_is_due(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE sources ADD COLUMN failures INTEGER DEFAULT 0 NOT NULL")
    connection.exec_driver_sql("ALTER TABLE sources ADD COLUMN failing_since TEXT DEFAULT '' NOT NULL")
    connection.exec_driver_sql(
        "CREATE TABLE schedules (source TEXT NOT NULL PRIMARY KEY, schedule TEXT NOT NULL,"
        " run TEXT NOT NULL, due TEXT NOT NULL)"
    )
    connection.exec_driver_sql(
        "CREATE TABLE notices (id INTEGER NOT NULL PRIMARY KEY, at TEXT NOT NULL, source TEXT NOT NULL,"
        " kind TEXT NOT NULL, message TEXT NOT NULL, advice TEXT NOT NULL, posted TEXT, mailed TEXT)"
    )


# A store's version is the number of migrations it has been through.
MIGRATIONS: tuple[Callable[[Connection], None], ...] = (
    _create_everything,
    _keep_sets_in_quarantine,
    _remember_what_to_forget,
    _remember_removed_sources,
    _remember_gaps,
    _remember_how_far_a_renormalising_came,
    _remember_what_was_doubted,
    _remember_details,
    _remember_when_positions_were_given_out,
    _remember_what_is_due,
)
