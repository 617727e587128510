"""Answers of a repository, written by hand: the envelope, and what is put into it."""

from harvester.oai.response import Page, read_page

OAI = "http://www.openarchives.org/OAI/2.0/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
DC = (
    '<oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Tides</dc:title></oai_dc:dc>'
)


def envelope(body: str, *, namespace: str = OAI, date: str = "2026-06-01T12:00:00Z") -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><OAI-PMH xmlns="{namespace}" xmlns:xsi="{XSI}">'
        f"<responseDate>{date}</responseDate><request>http://x.example/oai</request>{body}</OAI-PMH>"
    ).encode()


def record(header: str = "", metadata: str = DC, attributes: str = "", about: str = "") -> str:
    header = header or "<identifier>oai:x:1</identifier><datestamp>2020-01-01</datestamp>"
    inside = f"<metadata>{metadata}</metadata>" if metadata else ""
    return f"<record><header{attributes}>{header}</header>{inside}{about}</record>"


def listing(*records: str, token: str = "", verb: str = "ListRecords") -> bytes:
    return envelope(f"<{verb}>{''.join(records)}{token}</{verb}>")


def page(*records: str, token: str = "") -> Page:
    return read_page(listing(*records, token=token), "ListRecords")
