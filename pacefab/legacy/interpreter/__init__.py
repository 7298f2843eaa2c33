"""Scripts are walked through: control flow, pipelines, redirections, functions."""
