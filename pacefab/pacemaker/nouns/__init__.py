"""Nouns that are no part of a desired configuration alone: what runs, and elements as they are."""
