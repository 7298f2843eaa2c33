#!/bin/bash
# brings both sites up
for site in harbour airport; do
    ( cd $site && ./site.sh )
done
