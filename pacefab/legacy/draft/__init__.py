"""An inventory, from what the replayed commands made."""
