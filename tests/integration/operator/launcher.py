# ruff: noqa: ANN401  wrappers pass on what they are given
"""Reconciles one Tenant in a process of its own, and dies hard right before its n-th write to anything.

Started by test_crash.py with a JSON document on standard input. What it cuts short is the operator's own code with its
own clients; nothing in those knows that they are being tested.
"""

import asyncio
import itertools
import json
import os
import sys
from collections.abc import Callable
from typing import Any

import pymysql.cursors
from integration.operator.live import Live, Setup, cluster_names
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.s3.transport import Transport
from vivero_core.backends.valkey import client as valkey_client
from vivero_operator.data_plane import DataPlaneClient

DIED = 137
_SQL_WRITES = ("CREATE DATABASE", "CREATE USER", "ALTER USER", "GRANT", "REVOKE", "DROP")
_ACL_WRITES = ("SETUSER", "DELUSER", "SAVE")


class Countdown:
    """Counts writes; the process ends before the one that is fatal."""

    def __init__(self, fatal: int | None) -> None:
        self._fatal = fatal
        self._count = itertools.count(1)
        self.last = 0

    def write(self) -> None:
        self.last = next(self._count)
        if self.last == self._fatal:
            os._exit(DIED)


def _before(owner: Any, name: str, is_write: Callable[..., bool], countdown: Countdown) -> None:
    original = getattr(owner, name)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if is_write(*args):
            countdown.write()
        return original(*args, **kwargs)

    setattr(owner, name, wrapped)


def arm(countdown: Countdown) -> None:
    _before(KubeClient, "_request", lambda _self, method, *_: method != "GET", countdown)
    _before(DataPlaneClient, "_request", lambda _self, method, *_: method != "GET", countdown)
    _before(Transport, "signed", lambda _self, call, *_: call.method not in ("GET", "HEAD"), countdown)
    _before(
        pymysql.cursors.Cursor,
        "execute",
        lambda _self, query, *_: query.lstrip().upper().startswith(_SQL_WRITES),
        countdown,
    )
    _before(valkey_client, "_run", lambda _client, *words: any(word in _ACL_WRITES for word in words), countdown)


async def main() -> None:
    order = json.load(sys.stdin)
    setup = Setup(**order["setup"])
    countdown = Countdown(order["fatal"])
    with cluster_names(setup.names):
        async with Live.open(setup) as live:
            arm(countdown)
            await live.until_ready(order["tenant"])
    sys.stdout.write(str(countdown.last))


if __name__ == "__main__":
    asyncio.run(main())
