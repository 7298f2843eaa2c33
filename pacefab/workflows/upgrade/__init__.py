"""Newer packages, node by node; and from one release of the distribution to the next.

`patch` brings every package to its newest version within the release: `patched_node` is one node's
way, `due` what it needs and why, `standby` the mark by which the next run finds it. `check` says
whether a cluster can go to the next release, `repairs` plans what of its configuration is to be
written otherwise. The walk to that release is to be built on all of them; what it has to hold:

Order. As `walk.order` says: who has no promoted instance goes first, the DC last. A cluster whose
DC is old keeps the feature set of its oldest node until the last one has come back.

States of a node, as `patched_node` has them but for `switched` (one transaction a node,
`workflows.transaction`; the entry names the node, its own release and the target):

1. `away`: in standby, as Pacemaker moves it; quorum and every service probed from the others.
2. `stopped`: cluster services stopped, and disabled at boot, as its new ones are to start when the
   files of ours are there.
3. `switched`: repositories of the target; the previous files are kept beside the entry.
4. `upgraded`: packages done, none half configured; units that Pacemaker runs disabled again, our
   files rendered for the new versions and checked there, the operator's kept with the new beside.
5. `booted`: restarted, release and kernel are the new ones, cluster services stopped still.
6. `back`: cluster services started, the node online in a partition with quorum, out of standby.
7. `serving`: its instances probed from the others, caches warm as far as the objective says.

What a cut-off leaves. Before `upgraded` the node goes back: sources as kept, cluster services
started, out of standby. From the first new package of Pacemaker on it only goes forward, because a
node that has left a mixed cluster with an older Pacemaker may not come back: the next run takes
up the state that the node itself shows (os-release, dpkg, systemd, crm_mon), not the one that was
noted last; each state is a question with a yes or no, and its step does nothing where it holds.

End. When every node is there: `Repairs` again for what is deprecated now, and the CIB's schema
raised as a plan of its own, with an empty simulation.
"""
