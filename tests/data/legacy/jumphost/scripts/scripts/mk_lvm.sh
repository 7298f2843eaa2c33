: "${VG:?set VG}"
pcs resource create lvm_${VG} LVM volgrpname=$VG exclusive=true
pcs constraint order lvm_$VG then fs_data
