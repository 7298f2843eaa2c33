"""Fencing as Pacemaker understands it: devices, whom they fence, times, what was fenced. Pure."""
