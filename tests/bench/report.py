"""What was measured, printed as it comes and kept for --json; beside a bar, whether it is met."""

import msgspec


class Line(msgspec.Struct, frozen=True):
    """`value` is in `unit`; a figure without a bar is met."""

    what: str
    value: float | str
    unit: str = ""
    bar: str = ""
    met: bool = True


class Report:
    def __init__(self, *, quiet: bool = False) -> None:
        self.lines: list[Line] = []
        self.has_bars = True
        self._quiet = quiet

    def say(self, what: str, figure: str) -> None:
        self._add(Line(what, figure))

    def heading(self, text: str) -> None:
        if not self._quiet:
            print(f"\n{text}", flush=True)

    def figure(
        self,
        what: str,
        value: float,
        unit: str = "",
        *,
        at_most: float | None = None,
        at_least: float | None = None,
    ) -> None:
        if not self.has_bars:
            at_most = at_least = None
        bar = f"at most {at_most:g}" if at_most is not None else ""
        bar = f"at least {at_least:g}" if at_least is not None else bar
        met = (at_most is None or value <= at_most) and (at_least is None or value >= at_least)
        self._add(Line(what, round(value, 4), unit, bar, met))

    def _add(self, line: Line) -> None:
        self.lines.append(line)
        if not self._quiet:
            print(_shown(line), flush=True)

    def json(self) -> str:
        return msgspec.json.encode(self.lines).decode()


def _shown(line: Line) -> str:
    value = line.value if isinstance(line.value, str) else f"{line.value:,.4g} {line.unit}".rstrip()
    verdict = f"  ({line.bar}: {'met' if line.met else 'MISSED'})" if line.bar else ""
    return f"{line.what:<66} {value}{verdict}"
