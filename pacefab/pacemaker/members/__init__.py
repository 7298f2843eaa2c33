"""Who is a member: what corosync, Pacemaker and several nodes say, put together."""
