"""Programs that turn text into text: awk, sed, grep, cut and others."""
