"""Stand-ins for what no package of the test's nodes brings: units, agents, programs.

They sleep or keep a state, answer Pacemaker's questions, and say that they are stand-ins; nothing
is claimed of the software whose names they have.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping

UNIT = """\
[Unit]
Description=Stand-in of a test for {name}
[Service]
ExecStart=/bin/sleep infinity
"""
# Notes its role where Pacemaker looks for that of a promotable one.
AGENT = """\
#!/bin/sh
# Stand-in of a test for {name}.
state="/run/stand-in-$OCF_RESOURCE_INSTANCE"
score() {{ {score} 2>/dev/null; return 0; }}
case "$1" in
meta-data) cat <<'END'
{metadata}
END
;;
start) [ -e "$state" ] || echo unpromoted >"$state"; score -v 5 ;;
stop) rm -f "$state"; score -D ;;
promote) echo promoted >"$state"; score -v 10 ;;
demote) echo unpromoted >"$state"; score -v 5 ;;
monitor) [ -e "$state" ] || exit 7; grep -qx unpromoted "$state" || exit 8 ;;
notify|validate-all) ;;
*) exit 3 ;;
esac
"""
FENCE = """\
#!/bin/sh
# Stand-in of a test for {name}: it has no power over anything.
case "$*" in
*metadata*) ;;
*) grep -q '^action=metadata' || exit 0 ;;
esac
cat <<'END'
{metadata}
END
"""
_PROMOTABLE = 'crm_attribute --promotion --lifetime reboot "$@"'


def unit(name: str) -> str:
    """Return shell text that puts a unit in place which sleeps."""
    return _put(f"/etc/systemd/system/{name}.service", UNIT.format(name=name), mode="644")


def agent(name: str, parameters: Iterable[str], *, promotable: bool = False) -> str:
    """Return shell text that puts an OCF agent in place, such as ocf:linbit:drbd."""
    _, provider, kind = name.split(":")
    actions = {"start": 20, "stop": 20, "monitor": 20, "notify": 20, "meta-data": 5}
    actions |= {"promote": 20, "demote": 20} if promotable else {}
    score = _PROMOTABLE if promotable else ":"
    text = AGENT.format(name=name, score=score, metadata=_metadata(kind, parameters, actions))
    return _put(f"/usr/lib/ocf/resource.d/{provider}/{kind}", text)


def fence_agent(name: str, parameters: Iterable[str]) -> str:
    """Return the text of a fence agent."""
    actions = {"on": 20, "off": 20, "reboot": 20, "monitor": 20, "status": 20, "metadata": 5}
    return FENCE.format(name=name, metadata=_metadata(name, parameters, actions))


def package(name: str, files: Mapping[str, str]) -> str:
    """Return shell text that installs a package (Debian's) with these programs."""
    control = f"Package: {name}\nVersion: 99:0\nArchitecture: all\nMaintainer: a test\n"
    control += "Description: stand-in of a test\n"
    folder = f"/tmp/stand-in/{name}"
    puts = [_put(f"{folder}/DEBIAN/control", control, mode="644")]
    puts += [_put(folder + path, text) for path, text in files.items()]
    made = f"dpkg-deb --build {folder} {folder}.deb >/dev/null\ndpkg -i {folder}.deb >/dev/null\n"
    return "".join(puts) + made


def _metadata(name: str, parameters: Iterable[str], actions: Mapping[str, int]) -> str:
    takes = "".join(
        f'<parameter name="{one}"><longdesc lang="en">{one}</longdesc>'
        f'<shortdesc lang="en">{one}</shortdesc><content type="string"/></parameter>'
        for one in parameters
    )
    does = "".join(f'<action name="{one}" timeout="{to}s"/>' for one, to in actions.items())
    return (
        f'<?xml version="1.0"?><resource-agent name="{name}" version="1.0"><version>1.0</version>'
        f'<longdesc lang="en">A stand-in</longdesc><shortdesc lang="en">A stand-in</shortdesc>'
        f"<parameters>{takes}</parameters><actions>{does}</actions></resource-agent>"
    )


def _put(path: str, text: str, mode: str = "755") -> str:
    folder = shlex.quote(path.rpartition("/")[0])
    return f"install -d {folder}; printf %s {shlex.quote(text)} >{path}; chmod {mode} {path}\n"
