"""The only door between harvester and index: SQLAlchemy Core, on SQLite."""

from harvester.store.database import Store

__all__ = ["Store"]
