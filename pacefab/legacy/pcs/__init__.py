"""pcs commands, replayed on a model of the cluster, in every dialect from 0.9 on."""
