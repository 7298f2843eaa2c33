"""Pacemaker's configuration and state: read, compared, rendered; live.py runs its programs."""
