#!/bin/bash
dir=${1:-/var/spool/asterisk}
pcs resource create vm-fs Filesystem device=filer:/vm directory=$dir fstype=nfs options=soft,vers=4 op monitor interval=60s
pcs constraint order vm-fs then media
pcs constraint colocation add media with vm-fs
pcs resource disable vm-fs --wait=30
pcs resource enable vm-fs --wait=30
