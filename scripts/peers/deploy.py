"""The memcached job as pyinfra's users write it; scripts/peers/playbook.yaml has the same steps."""

from pyinfra import host
from pyinfra.facts.hardware import Ipv4Addrs
from pyinfra.operations import apt, files, server, systemd

address = host.get_fact(Ipv4Addrs)["eth0"][0]
apt.packages(packages=["memcached"], present=True)
files.line(path="/etc/memcached.conf", line="^-l .*", replace=f"-l {address}")
files.line(path="/etc/memcached.conf", line="^-U .*", replace="-U 0")
systemd.service(service="memcached", running=None, enabled=False)
create = "pcs resource create memcached systemd:memcached clone interleave=true"
server.shell(commands=[f"pcs resource config memcached-clone || {create}"], _run_once=True)
server.shell(commands=["pcs resource"], _run_once=True)
server.shell(commands=[f"timeout 10 bash -c '</dev/tcp/{address}/11211'"])
