#!/bin/bash
# readini.sh FILE SECTION KEY: the value on standard output

ini=$1; part=$2; key=$3
value=`awk -F '=' '/\['$part'\]/{seen=1} seen==1 && $1~/^'$key'/{print $2; exit}' $ini`
echo $value
