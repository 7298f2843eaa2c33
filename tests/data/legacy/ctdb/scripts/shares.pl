#!/usr/bin/perl
use strict;
foreach my $share (qw(home projects)) {
    system("crm configure primitive p-mnt-$share ocf:heartbeat:Filesystem params device=/srv/smb/$share directory=/export/$share fstype=none options=bind");
    system("crm", "configure", "group", "g-$share", "p-mnt-$share");
}
