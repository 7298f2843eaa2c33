#!/usr/bin/env bash
readonly RED=$'\e[31m' PLAIN=$'\e[0m'
log()  { printf '%(%F %T)T %s\n' -1 "$*"; }
warn() { printf '%s%s%s\n' "$RED" "$*" "$PLAIN" >&2; }
run()  { log "+ $*"; "$@"; }
try()  {
  local -i left=$1 pause=$2
  shift 2
  until "$@"; do
    (( left-- > 0 )) || { warn "gave up: $*"; return 1; }
    sleep "$pause"
  done
}
exists() { pcs resource config "$1" &> /dev/null; }
