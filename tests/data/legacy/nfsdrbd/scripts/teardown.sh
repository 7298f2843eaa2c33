#!/bin/sh
# removes everything that install.sh made
pcs resource disable nfs_group
pcs resource delete nfs_group
pcs resource delete ping-clone
pcs cluster stop --all
pcs cluster destroy --all
