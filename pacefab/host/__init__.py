"""One node, the cluster left aside: packages, units, files."""
