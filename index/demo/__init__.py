"""The bundled sample repository, an EPrints in small, and the tour that harvests and searches it."""
