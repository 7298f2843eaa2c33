"""crm_simulate's XML -> the actions that Pacemaker would take, a line each. Pure."""

from __future__ import annotations

from lxml import etree


def parse(text: str) -> tuple[str, ...]:
    """Return the actions on resources ("Start memcached:0 on c1").

    Raises:
        ValueError: this is not what `crm_simulate --simulate --output-as=xml` prints.
    """
    try:
        root = etree.fromstring(text.encode())
    except etree.XMLSyntaxError as error:
        raise ValueError(f"not XML: {error}") from error
    return tuple(_action(e) for e in root.iterfind("actions/rsc_action") if _happens(e))


def _happens(element: etree._Element) -> bool:
    return element.get("action", "").lower() not in {"leave", "noop", ""}


def _action(element: etree._Element) -> str:
    action, resource = element.get("action", "").lower(), element.get("resource", "")
    source, target = element.get("source"), element.get("dest") or element.get("node")
    if source and target and source != target:
        return f"{action} {resource} from {source} to {target}"
    where = target or source
    return f"{action} {resource}" + (f" on {where}" if where else "")
