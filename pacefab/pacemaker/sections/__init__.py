"""The smaller sections of a CIB: fencing levels, alerts, access control, tags."""
