"""Programs that turn text into text: awk, sed, grep and their kind."""
