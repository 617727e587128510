"""The one long-running process, and how it is seen from outside."""
