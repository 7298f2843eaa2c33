"""One node: observe, plan, apply; and the CIB, seen and changed from any of them."""
