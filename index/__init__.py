"""Records go out: the index, its queries, the command line."""
