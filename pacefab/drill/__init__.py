"""Faults caused on purpose: the load meanwhile, what was measured, and how they are undone."""
