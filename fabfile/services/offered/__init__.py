"""The services that an inventory may name: one module each, found by its file name."""
