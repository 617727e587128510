"""How well results are ranked, on judged collections: `python -m tests.ranking`."""
