"""What clients of the cache need to survive the loss of any server. Pure: text in, text out."""
