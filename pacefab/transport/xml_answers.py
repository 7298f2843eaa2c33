"""XML that hosts print, read as what may come from anybody. Pure."""

from __future__ import annotations

from io import BytesIO

from lxml import etree

_ENTITY = "<!ENTITY"


def parse(text: str, *, blanks: bool = True) -> etree._Element:
    """Return the root; without `blanks`, white space between elements is left out.

    Nothing of another file or of the network is read for it, and entities of its own are refused:
    a few lines of them make an endless text. Pacemaker writes none.

    Raises:
        ValueError: this is no such XML.
    """
    _check(text)
    # The text was decoded already: what it says of its own encoding is past.
    parser = etree.XMLParser(
        remove_blank_text=not blanks, resolve_entities=False, no_network=True, encoding="utf-8"
    )
    try:
        return etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"not XML: {error}") from error


def first(text: str, tag: str) -> etree._Element | None:
    """Return the first element with this tag, reading no further. Errors of `parse`."""
    _check(text)
    try:
        found = etree.iterparse(
            BytesIO(text.encode()), tag=tag, resolve_entities=False, no_network=True
        )
        return next((element for _, element in found), None)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"not XML: {error}") from error


def _check(text: str) -> None:
    if _ENTITY in text:
        raise ValueError("it declares entities, which Pacemaker does not")
