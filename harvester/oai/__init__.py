"""The protocol and nothing else: OAI-PMH 2.0."""
