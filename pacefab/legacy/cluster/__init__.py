"""The cluster that the replayed commands have built: its model, and what became of each command."""
