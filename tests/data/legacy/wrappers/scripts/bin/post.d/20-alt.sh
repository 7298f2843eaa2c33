count=$(ssh root@$MASTER "pcs status nodes | grep -c Online")
if [ "$count" -ge 3 ]; then
	remote pcs property set no-quorum-policy=stop
else
	remote pcs property set no-quorum-policy=ignore
fi
alive=$(ssh root@$MASTER crm_mon -1 | awk '/Online/{print $3}')
remote pcs constraint location redis-master prefers $alive=10
