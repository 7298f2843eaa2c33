pcs resource create piped-${1:-none} Dummy
