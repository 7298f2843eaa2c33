# functions of all scripts: source it

log_info()
{
    echo "$(date '+%F %T') $0 [INFO] $@" >> /var/log/deploy.log
}

# create_clone NAME UNIT: a service on every controller
create_clone()
{
    local name=$1 unit=${2:-$1}
    pcs resource delete $name --force
    pcs resource create $name systemd:$unit --clone interleave=true
    log_info "pcs resource create $name done"
}

# chain A B: B after A, on the same nodes
function chain {
    pcs constraint order start $1-clone then $2-clone
    pcs constraint colocation add $2-clone with $1-clone
}

# nobody calls this any more
function reset_cluster() {
    pcs cluster destroy --all
    pcs resource delete lb-haproxy --force
}
