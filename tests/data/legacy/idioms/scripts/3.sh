#!/bin/bash
create() { pcs resource create "$1" "$2" "${@:3}"; }
create slice1 Dummy fake=1 op monitor interval=10s
create slice2 systemd:foo --clone
every() { pcs resource create every Dummy "$@"; }
every
for pair in "slice1 slice2-clone" "slice2-clone every"; do set -- $pair; pcs constraint order $1 then $2; done
ssh n1 sudo -i <<-'E'
	pcs resource create login Dummy
	E
ssh n1 'bash -s -- first' < sub/piped.sh
pcs constraint order start login then start every option kind=Optional
exec pcs resource create execd Dummy
pcs resource create afterexec Dummy
