"""Bash deployment scripts -> the cluster that they build, in current terms. Nothing is executed.

`bash` parses and expands, `interpreter` evaluates a tree of scripts as far as their text determines
it, `commands` and `text` stand for the programs that scripts call. The pcs commands (`pcs`) are
replayed on a model (`cluster`), from which `draft` writes an inventory and `findings` a report.
What cannot be known is a value of its own (`unknown`), never a guess.
"""
