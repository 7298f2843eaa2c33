"""Desired state -> plan -> apply -> settle -> probe, and back: rollback, history."""
