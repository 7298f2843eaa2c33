#!/usr/bin/env python3
"""Exercise 6: create three dummies and a group, by a program."""
import subprocess


def pcs(*words: str) -> None:
    subprocess.run(["pcs", *words], check=True)


for number in (1, 2, 3):
    pcs("resource", "create", f"dummy{number}", "ocf:pacemaker:Dummy")
pcs("resource", "group", "add", "dummies", "dummy1", "dummy2", "dummy3")
subprocess.check_call("pcs constraint order dummies then web", shell=True)
