"""Commands that a script may call, builtins and programs, each evaluated or unknown."""
