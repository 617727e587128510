"""How good a source's records are, counted: what they have, what they lack, what nobody understood.

store ─Record▶ Survey (survey.py) ─▶ Quality (report.py) ─▶ sentences, the worst first (findings.py)

One pass, in flat memory: values that anybody may make up are counted in a bounded Tally (tally.py).
"""

from index.quality.report import Quality, quality

__all__ = ["Quality", "quality"]
