"""Makes the harness' fixtures known to all tests; none starts a cluster before it is used."""

from hypothesis import settings

pytest_plugins = ["pacefab.harness.plugin"]

# How long one example takes says how busy the machine is, and nothing about the code.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")
