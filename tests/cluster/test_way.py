"""The way to a host, beside ssh's own: never looser, and what ssh reaches is reached.

Each situation is an ssh_config and files of known hosts. ssh and we go the same way, to real sshd
processes with keys and ports of their own, each of which says its name.
"""

from __future__ import annotations

import base64
import getpass
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from pacefab.errors import UnreachableError
from pacefab.harness.cluster import Cluster
from pacefab.harness.nodes import free_port
from pacefab.transport.explaining import explain
from pacefab.transport.opening import HopError, Session
from pacefab.transport.way.hop import Place, find_way
from pacefab.transport.way.identities import Given
from pacefab.transport.way.settings import Sources
from pacefab.waiting import wait_until
