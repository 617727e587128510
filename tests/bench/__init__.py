"""Speed and memory of the main line, beside bare libraries in the same run: `python -m tests.bench`."""
