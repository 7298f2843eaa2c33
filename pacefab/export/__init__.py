"""A cluster that is there -> its inventory; what cannot be said there is named with its XML."""
