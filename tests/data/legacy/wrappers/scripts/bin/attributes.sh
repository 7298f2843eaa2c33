idx=0
for n in $NODES
do
	(( idx += 1 ))
	if (( idx % 2 )); then rack=odd; else rack=even; fi
	ssh root@$MASTER "pcs property set --node $n rack=$rack"
done
cat > /tmp/table <<T
nova-api-clone	rack eq odd
cinder-volume	rack eq even
T
while read res attr op val; do
	ssh -n root@$MASTER "pcs constraint location $res rule score=100 $attr $op $val"
done < /tmp/table
awk '{print "pcs constraint location "$1" rule resource-discovery=exclusive score=0 zone ne x"}' /tmp/table | ssh root@$MASTER bash
