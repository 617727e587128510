"""EPrints writes its sets in hexadecimal: `7375626A656374733D48:4842` is subjects=H:HB. Pure."""

import re

_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+(?::(?:[0-9A-Fa-f]{2})+)*")


def decoded(spec: str) -> str:
    """As a person reads it: "subjects=H:HB"; a spec that is not EPrints' hexadecimal stays as it is."""
    if not _HEX.fullmatch(spec):
        return spec
    try:
        text = ":".join(bytes.fromhex(part).decode("utf-8") for part in spec.split(":"))
    except UnicodeDecodeError:
        return spec
    return text if text.isprintable() and "=" in text.partition(":")[0] else spec
