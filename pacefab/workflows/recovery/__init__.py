"""Back from a state that Pacemaker does not leave by itself."""
