"""The language: syntax, expansion, arithmetic, conditions, and the state of a shell."""
