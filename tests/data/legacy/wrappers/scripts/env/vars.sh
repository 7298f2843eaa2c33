NODES="ctl1 ctl2 ctl3"
set -- $NODES
MASTER=$1
DOMAIN=cloud.local
NUM=$#
INTERLEAVE="interleave=true"
