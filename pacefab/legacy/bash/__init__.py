"""The language: syntax, expansion, arithmetic, conditions, the state of a shell."""
