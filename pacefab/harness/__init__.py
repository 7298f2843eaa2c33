"""Real Pacemaker clusters in containers, for tests and for trying things out."""
