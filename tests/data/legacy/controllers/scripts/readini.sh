#!/usr/bin/bash
# FILE SECTION KEY
f=$1; s=$2; k=$3
v=`awk -F '=' '/\['$s'\]/{on=1}on==1&&$1~/^'$k'/{print $2;exit}' $f`
echo $v
