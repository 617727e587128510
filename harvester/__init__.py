"""Records come in: OAI-PMH, formats, the store."""
