#!/bin/bash -x
PCS=$(which pcs)
[ -x "$PCS" ] || PCS=/usr/sbin/pcs
CRM="sudo pcs"
ME=$(hostname -s)
DIR="$( cd "$( dirname "${BASH_SOURCE[0]}" )" >/dev/null && pwd )"
source "$DIR"/sub/common.inc
IFS=','
for n in $NODELIST; do echo "node $n"; ssh $n "pcs node attribute $n pool=p1"; done
unset IFS; IFS=$' \t\n'
OLDIFS=$IFS; IFS=$'\n'
for l in $(cat $DIR/sub/vips.txt | grep -v '^#'); do
   name=$(echo $l | awk -F'[ \t]+' '{print $1}'); ip=$(echo "$l" | cut -d' ' -f2)
   $PCS resource create vip_$name ocf:heartbeat:IPaddr2 ip=$ip
done
IFS=$OLDIFS
$CRM property set stonith-enabled=false
${PCS} resource create a1 Dummy; $PCS resource create a2 Dummy
/usr/sbin/pcs resource group add grp a1 a2
"$PCS" constraint location grp prefers "${FIRST}"=50
never() { $PCS resource create never Dummy; }
for i in {1..3} x; do pcs resource create d$i Dummy; done
for i in $(seq -w 01 03); do pcs resource create s$i Dummy; done
while true; do pcs resource create once Dummy; break; done
n=3
while (( n-- > 0 )); do [[ $n -eq 1 ]] && continue; pcs resource create n$n Dummy; done
retry() { local max=$1; shift; local i; for ((i=0;i<max;i++)); do "$@" && return 0; sleep 1; done; return 1; }
retry 5 pcs resource create retried Dummy
with_log() { echo "$@"; eval "$@" 2>&1 | tee -a /tmp/log; }
with_log "pcs resource create logged Dummy op monitor interval=20s"
cmd=(pcs resource create arrayed Dummy); cmd+=(meta priority=3); "${cmd[@]}"
opts="op monitor interval=10s"
opts="$opts timeout=20s"
pcs resource create opted Dummy $opts
pcs resource create cont Dummy \
   fake=1 \
   op start timeout=10 # trailing comment
pcs resource create multi Dummy; pcs resource create multi2 Dummy && pcs resource create multi3 Dummy || pcs resource create multi4 Dummy
pcs resource show d1 || pcs resource create d1 Dummy
pcs resource show zz >/dev/null 2>&1 || pcs resource create zz Dummy
if ! pcs resource | grep -q zy; then pcs resource create zy Dummy; fi
[ $(pcs resource | grep -c zz) -eq 0 ] && pcs resource create zzz Dummy
test -n "$UNDEFINED" && pcs resource create undefd Dummy
[ "$MODE" == "ha" ] && { pcs resource create ha Dummy; pcs resource meta ha priority=1; }
MODE=${1:-ha}
case "$MODE" in ha|HA) pcs resource create moded Dummy;; single) pcs resource create single Dummy;; esac
pcs resource create $(echo sub) Dummy; pcs resource create `echo tick` Dummy
x=5; y=$((x*2+1)); pcs property set batch-limit=$y
printf "pcs resource create printed%d Dummy\n" 1 2 | bash
bash -c 'pcs resource create "$0$1" Dummy' arg0 arg1
( cd /tmp; pcs resource create subshell Dummy )
{ pcs resource create braced Dummy; } >/dev/null 2>&1
pcs resource create bg Dummy &
wait
time pcs resource create timed Dummy
pcs --force resource create f1 Dummy
pcs resource create --force f2 Dummy --disabled
pcs resource enable f2
pcs constraint --full | grep f1
for r in `pcs resource show | awk '{print $1}'`; do pcs resource cleanup $r; done
declare -r FOO=bar; readonly BAZ=$FOO; typeset -i num=4
pcs resource create ro_$BAZ Dummy fake=$num
str="one two three"; set -- $str; pcs resource create last_${!#} Dummy; pcs resource create cnt_$# Dummy
s=controller-1.example.com; pcs resource create h_${s%%.*}_${s#*.} Dummy fake=${s/example/prod} state=${#s} x=${s^^} y=${s:0:4}
read a b c <<< "q w e"; pcs resource create rd_$b Dummy
arr=($(echo 1 2 3)); for k in ${!arr[@]}; do pcs resource create k$k-${arr[$k]} Dummy; done
mapfile -t L < sub/list; for r in "${L[@]}"; do pcs resource create l-$r Dummy; done
while IFS='|' read -r id agent rest || [ -n "$id" ]; do pcs resource create $id $agent $rest; done < <(printf '%s\n' 'p1|Dummy|fake=1' 'p2|Delay|startdelay=3')
echo "p3 Dummy" | while read id ag; do pcs resource create $id $ag; done
cat sub/list | xargs -n1 -I{} pcs resource create x-{} Dummy
cat sub/list | while read r; do echo pcs resource create ssh-$r Dummy; done | sh
sed 's/^/pcs resource create sed-/; s/$/ Dummy/' sub/list | bash
function fin { pcs property set maintenance-mode=false; }
trap fin EXIT
pcs property set maintenance-mode=true
pcs cluster standby node1 --wait
pcs stonith create fa fence_apc_snmp ipaddr=10.0.0.1 pcmk_host_map="n1:1;n2:2" login=apc passwd='a b$c' pcmk_host_check=static-list
pcs -f /tmp/cib.xml resource create infile Dummy
pcs -f /tmp/cib.xml constraint location infile prefers n1
pcs cluster cib-push /tmp/cib.xml --config
pcs resource create -- dd Dummy
