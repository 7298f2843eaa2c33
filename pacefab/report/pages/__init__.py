"""Pages for people who look rather than read: one file each, which needs no network."""
