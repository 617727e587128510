"""Years as a small histogram. Pure."""

from collections.abc import Iterable, Mapping

_BARS = 15
_STEPS = (1, 2, 5, 10, 20, 50, 100, 1000)
_ODD = 0.01  # of the records, at either end: typing errors would stretch the scale


def histogram(years: Mapping[int, int]) -> list[tuple[str, int]]:
    """[("before 1990", 3), ("1990–1994", 12) …]; the sum is that of `years`."""
    if not years:
        return []
    first, last = _begins(sorted(years), years), _begins(sorted(years, reverse=True), years)
    step = next(step for step in _STEPS if (last - first) // step < _BARS - 1)
    start, end = first - first % step, last - last % step + step
    counts = dict.fromkeys(range(start, end, step), 0)
    before = after = 0
    for year, count in years.items():
        if year < start:
            before += count
        elif year >= end:
            after += count
        else:
            counts[year - year % step] += count
    named = [(_named(at, step), count) for at, count in counts.items()]
    odd = [(f"before {start}", before)], [(f"{end} and later", after)]
    return [*(odd[0] if before else []), *named, *(odd[1] if after else [])]


def _begins(ordered: Iterable[int], years: Mapping[int, int]) -> int:
    """The first year that is not among the odd ones."""
    few, passed = _ODD * sum(years.values()), 0
    for year in ordered:
        passed += years[year]
        if passed > few:
            return year
    raise AssertionError("all cannot be less than a hundredth of all")


def _named(year: int, step: int) -> str:
    return str(year) if step == 1 else f"{year}–{year + step - 1}"
