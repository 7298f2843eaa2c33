INI=conf/cluster.ini
get() { # get SECTION KEY
    sed -n "/^\[$1\]/,/^\[/{s/^$2=//p}" $INI
}
get2() { awk -F= -v s="[$1]" -v k="$2" '$0 == s { on = 1; next } /^\[/ { on = 0 } on && $1 == k { print $2 }' $INI; }
ask() { local reply; read -rp "$1 [y/N] " reply; [[ $reply == [yY]* ]]; }
NODES=$(get cluster nodes | tr ',' ' ')
FIRST=$(echo $NODES | cut -d' ' -f1)
at() { ssh -o BatchMode=yes -o ConnectTimeout=5 "$1" "${@:2}"; }
p() { at $FIRST pcs "$@"; }
