#!/bin/bash
first=$1 second=$2
ssh root@$MASTER "pcs constraint order start ${first}-clone then ${second}-clone"
