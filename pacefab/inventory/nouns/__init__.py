"""Sections of an inventory -> nouns of Pacemaker."""
