"""Hosts become a cluster; nodes join and leave."""
