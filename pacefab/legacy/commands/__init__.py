"""The commands that a script may call, by name: builtins, and programs whose effects are noted.

`dispatch` lists them all; the result of any other command is unknown.
"""
