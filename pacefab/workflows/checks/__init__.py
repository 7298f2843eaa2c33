"""Health at a glance, and the read-only checks of verify."""
