"""Outcomes and states as text or JSON; the only place that formats."""
