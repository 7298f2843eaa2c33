"""What the next generation of Pacemaker drops or reads in another way."""
