"""Console blocks of the pages: read, run again on a cluster, compared, shown in colour."""
