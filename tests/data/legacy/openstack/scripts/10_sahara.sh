#!/bin/bash
# ĞéÄâµØÖ·
NAME=sahara
pcs resource create ${NAME}-api systemd:openstack-sahara-api --clone interleave=true
pcs constraint order start keystone-clone then ${NAME}-api-clone
