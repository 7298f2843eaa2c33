"""Makes the harness' fixtures known to all tests; none starts a cluster before it is used."""

pytest_plugins = ["pacefab.harness.plugin"]
