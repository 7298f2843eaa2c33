"""Tests, and the harness that gives them real clusters."""
