H=$(hostname)
pcs constraint location redis prefers $H
pcs constraint location sentinel avoids $H=500
