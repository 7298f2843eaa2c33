"""An inventory: one YAML file that describes a cluster, its nodes and its services' settings.

Nothing is imported here: a section alone takes a third of the time that the whole takes.
"""
