#!/bin/bash -ex
cd "${0%/*}"
./ha-compute prepare
./ha-compute fence
./ha-compute add cmp-0{1,2}
./ha-compute evacuate
if [ "${1:-}" = --test ]; then
    ./ha-compute remove cmp-02
fi
