"""How providers misbehave, row by row, and what a harvest makes of it."""
