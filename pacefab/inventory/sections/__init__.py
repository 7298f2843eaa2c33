"""Sections that few inventories have: fencing levels, alerts, access control."""
