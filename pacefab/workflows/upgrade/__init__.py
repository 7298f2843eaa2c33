"""From one release of the distribution to the next."""
