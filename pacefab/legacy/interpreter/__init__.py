"""Scripts are evaluated: control flow, pipelines, redirections, functions, a whole tree."""
