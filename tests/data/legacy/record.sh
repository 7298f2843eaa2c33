#!/bin/bash
# record.sh TREE IMAGE COMMAND…: run legacy scripts by a real bash, in a container without network
# in which pcs writes down its arguments, ssh and its kind run their command there and then, and
# everything else that would change a host does nothing. Prints "HOST: arguments of pcs", line by
# line: what NAME/expected/commands.txt has, but for what only a live cluster knows (see
# tests/unit/test_legacy_trees.py). IMAGE: one of the harness's.
#   tests/data/legacy/record.sh tests/data/legacy/wrappers/scripts IMAGE ./install.sh
set -eu
tree=$(realpath "$1")
image=$2
shift 2
docker run --rm -i --network none --entrypoint /bin/bash -v "$tree:/tree:ro" "$image" -s -- "$@" << 'END'
mkdir -p /standins /root; cp -r /tree/. /root; cd /standins
stand_in() { { echo '#!/bin/bash'; cat; } > "$1"; chmod +x "$1"; }
cat > pcs << 'X'
#!/usr/bin/python3
# --at=PLACE among the words is where they stand in the tree (see record-trees): noted, not given
import os, shlex, sys
words = [word for word in sys.argv[1:] if not word.startswith("--at=")]
at = "".join(f" @{word[5:]}" for word in sys.argv[1:] if word.startswith("--at="))
done = open("/calls").read() if os.path.exists("/calls") else ""
print(f"{os.environ.get('FAKE_HOST', '')}: {shlex.join(words)}{at}", file=open("/calls", "a"))
if words[:1] == ["status"]:
    print("Started Masters: [ db01 ]")
if words == ["resource"]:
    print(done)
if words[:1] == ["resource"] and words[1:2] in (["show"], ["config"], ["status"]) and len(words) > 2:
    sys.exit(f" resource create {words[2]} " not in done)
if words == ["cluster", "status"]:
    sys.exit(" cluster setup " not in done)
X
chmod +x pcs
cat > crm << 'X'
#!/usr/bin/python3
# Notes a line per command: that of the arguments, or those of a file (-f, load) or of what is piped in
import os, shlex, sys
given = [word for word in sys.argv[1:] if not word.startswith("--at=")]
at = "".join(f" @{word[5:]}" for word in sys.argv[1:] if word.startswith("--at="))
words, source, level = [], "-", ""
while given:
    word = given.pop(0)
    if word == "-f":
        source = given.pop(0)
    elif words or word not in ("-w", "-F", "--force", "--wait"):
        words.append(word)

def note(text, at=""):
    global level
    words = shlex.split(text, comments=True)
    if words in ([], ["commit"], ["end"], ["up"], ["quit"], ["bye"]):
        return
    if words == ["configure"]:
        level = "configure"
        return
    if level and words[0] != level:
        words.insert(0, level)
    print(f"{os.environ.get('FAKE_HOST', '')}: crm {shlex.join(words)}{at}", file=open("/calls", "a"))
    if words[:2] == ["configure", "load"]:
        level = "configure"
        read(words[3])

def read(path):
    text = sys.stdin.read() if path == "-" else open(path).read()
    for line in text.replace("\\\n", " ").split("\n"):
        note(line)

if " " in "".join(words[1:2]):
    sys.exit(1)  # crmsh quotes it: no such command
if words[1:] or words not in ([], ["configure"]):
    note(shlex.join(words), at)
else:
    level = (words or [""])[0]
    read(source)
X
chmod +x crm
stand_in ssh << 'X'
while [[ $1 == -* ]]; do
  case $1 in -[bcDEeFIiJLlmOopQRSWw]) shift 2 ;; -n) exec < /dev/null; shift ;; *) shift ;; esac
done
export FAKE_HOST=${1##*@}; shift
while [[ ${1:-} == -* ]]; do shift; done
for one in $(compgen -e); do
  case $one in PATH | FAKE_HOST | HOME | BASH_FUNC*) ;; *) unset "$one" ;; esac
done
cd /root
if (( $# )); then exec bash -c "$*"; else exec bash -s; fi
X
stand_in clush << 'X'
while [[ $1 == -* ]]; do
  case $1 in -w | -H) hosts=$2; shift 2 ;; -l) shift 2 ;; *) shift ;; esac
done
hosts=$(sed -E 's/\[([0-9]+)-([0-9]+)\]/{\1..\2}/g; s/,/ /g' <<< "$hosts")
for host in $(eval echo "$hosts"); do ssh -n "$host" "$@"; done
X
cp clush pdsh; cp clush parallel-ssh
stand_in scp << 'X'
files=()
while (( $# )); do case $1 in -[PioFcl]) shift 2 ;; -*) shift ;; *) files+=("$1"); shift ;; esac; done
to=${files[-1]#*:}; unset 'files[-1]'
for one in "${files[@]}"; do cp -rf "$one" "${to:-/root}" 2> /dev/null; done; exit 0
X
skip='while [[ $1 == -* ]]; do case $1 in -[ugCphrtUfdP]) shift 2 ;; *) shift ;; esac; done; exec "${@:-bash}"'
stand_in sudo <<< "$skip"; stand_in sshpass <<< "$skip"
stand_in su <<< 'while (( $# )); do [[ $1 == -c ]] && exec bash -c "$2"; shift; done; exec bash -s'
stand_in hostname <<< 'echo "${FAKE_HOST:-admin}"'
stand_in which <<< 'echo "/usr/sbin/$1"'
stand_in rpm <<< 'echo pacemaker'
stand_in passwd <<< 'read -r _; exit 0'
stand_in ls <<< '[[ $1 == -l && $2 == /etc/* ]] && exit 1; exec /bin/ls "$@"'
stand_in cibadmin <<< '[[ $* == *node-path* ]] && echo "[@id='"'x'"']" || echo "<node uname=\"x\"/>"'
for one in yum systemctl service sleep sysctl expect chown reboot crm_attribute crm_mon; do stand_in $one <<< 'exit 0'; done
cp pcs crm /usr/sbin/
command_not_found_handle() { return 0; }
export -f command_not_found_handle
export HOME=/root PATH=/standins:$PATH
for one in "$@"; do cd /root; timeout 60 bash -c "$one" < /dev/null > /dev/null 2>&1; done
cat /calls
END
