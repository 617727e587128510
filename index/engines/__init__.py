"""The engines by name; an engine's library is imported when it is first used."""

from importlib import import_module
from pathlib import Path

from harvester.errors import IndexUnusable
from index.engine import Engine

_CLASSES = {
    "tantivy": ("index.engines.tantivy", "TantivyEngine"),
    "whoosh": ("index.engines.whoosh", "WhooshEngine"),
}


def engine_named(name: str, folder: Path) -> Engine:
    if name not in _CLASSES:
        raise IndexUnusable(f"this Windrow has no search engine {name}", "run `windrow rebuild`")
    module, kind = _CLASSES[name]
    engine: Engine = getattr(import_module(module), kind)(folder)
    return engine
