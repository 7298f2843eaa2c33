"""An inventory, drafted from the replayed cluster: nodes, services, resources, constraints."""
