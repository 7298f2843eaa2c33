"""What an upgrade would meet, in every form."""
