"""The memcached job as pyinfra's users write it: package, unit, guarded pcs, a look at it."""

from pyinfra.operations import apt, server, systemd

apt.packages(packages=["memcached"], present=True)
systemd.service(service="memcached", running=None, enabled=False)
create = "pcs resource create memcached systemd:memcached clone interleave=true"
server.shell(commands=[f"pcs resource config memcached-clone || {create}"], _run_once=True)
server.shell(commands=["pcs resource"], _run_once=True)
