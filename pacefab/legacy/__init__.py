"""Old bash deployments -> what they made of a cluster, in today's terms. Nothing is ever executed.

A tree of scripts is parsed by a grammar (`syntax`), evaluated as far as a reader can (`interpreter`
and what it uses) and its pcs commands are replayed on a model of the cluster (`cluster`, `pcs_*`).
What cannot be known is a value of its own (`unknown`), never a guess.
"""
