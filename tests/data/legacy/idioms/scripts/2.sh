mywrap -x pcs resource create wrapped Dummy
echo pcs resource create shown Dummy
never2() { $PCS resource create nn Dummy; "${PCS_CMD}" constraint order nn then mm; }
mywrap2 "pcs resource create w3 Dummy"
if false; then
sudo pcs resource create falsy Dummy
fi
ansible controllers -m shell -a "pcs resource create ansi Dummy"
