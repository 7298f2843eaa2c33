#once neutron-scale is not wanted any more
drop database neutron;
pcs resource delete neutron-scale --force
pcs constraint order start neutron-server-clone then neutron-ovs-cleanup-clone
pcs constraint location neutron-server-clone rule resource-discovery=exclusive score=0 osprole eq controller --force
