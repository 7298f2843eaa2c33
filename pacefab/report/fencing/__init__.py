"""A verification of fencing, in every form."""
