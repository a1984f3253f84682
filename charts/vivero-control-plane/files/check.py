# ruff: noqa: INP001  a script that a pod gets as an argument, not a module
"""What `helm test` runs: asks a release over the network, as its users do.

The charts of all three programs hold this file; a test compares them. Standard library only, for it runs in the
program's own image. Exit status 1 and one line for each check that did not succeed within its time.
"""

import argparse
import http.client
import json
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

SECONDS = 60.0
"""For each check: a release that was installed a moment ago may still be starting."""
CALL_SECONDS = 5.0
PAUSE_SECONDS = 1.0
ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
API_SERVER = "https://kubernetes.default.svc"


class CheckError(Exception):
    """Not as it should be, in words."""


def answers(url: str, host: str) -> str:
    """The address answers with 200, and with JSON where it says so."""
    headers = {"Host": host} if host else {}
    kind, body = _get(urllib.request.Request(url, headers=headers), None)  # noqa: S310  http, from the chart
    if kind.partition(";")[0] == "application/json":
        json.loads(body)
    return "answers"


class Leader:
    """Some replica holds the Lease and renews it; seen by a change, because clocks differ."""

    def __init__(self, lease: str, account: Path = ACCOUNT, server: str = API_SERVER) -> None:
        namespace, _, name = lease.partition("/")
        self._url = f"{server}/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{name}"
        self._account = account
        self._seen: str | None = None

    def renews(self) -> str:
        spec = self._read()
        if not spec.get("holderIdentity"):
            raise CheckError("no replica leads")
        before, self._seen = self._seen, spec.get("renewTime")
        if before in (None, self._seen):
            raise CheckError(f"{spec['holderIdentity']} holds the Lease and does not renew it")
        return f"{spec['holderIdentity']} leads"

    def _read(self) -> dict[str, str]:
        token = (self._account / "token").read_text()
        trust = ssl.create_default_context(cafile=str(self._account / "ca.crt"))
        request = urllib.request.Request(self._url, headers={"Authorization": f"Bearer {token}"})  # noqa: S310  https
        spec: dict[str, str] = json.loads(_get(request, trust)[1])["spec"]
        return spec


def _get(request: urllib.request.Request, trust: ssl.SSLContext | None) -> tuple[str, bytes]:
    """Content type and body of a 200."""
    with urllib.request.urlopen(request, timeout=CALL_SECONDS, context=trust) as response:  # noqa: S310  as above
        if response.status != http.client.OK:
            raise CheckError(f"answers {response.status}")
        return response.headers.get("Content-Type", ""), response.read()


def succeeds(name: str, check: Callable[[], str], seconds: float) -> bool:
    """Repeat the check until it succeeds or its time is over; say which."""
    end = time.monotonic() + seconds
    while True:
        try:
            sys.stdout.write(f"{name}: {check()}\n")
        except (CheckError, OSError, http.client.HTTPException, ValueError) as error:
            if time.monotonic() > end:
                sys.stdout.write(f"{name}: FAILED, {error}\n")
                return False
            time.sleep(PAUSE_SECONDS)
        else:
            return True


def main(arguments: Sequence[str], seconds: float = SECONDS) -> int:
    parser = argparse.ArgumentParser(prog="check.py")
    parser.add_argument("--host", default="", help="name to ask for, where it is not the URL's")
    parser.add_argument("--lease", help="NAMESPACE/NAME of a Lease that has to be renewed")
    parser.add_argument("urls", nargs="*", metavar="URL", help="has to answer with 200")
    options = parser.parse_args(arguments)
    checks: dict[str, Callable[[], str]] = {url: lambda url=url: answers(url, options.host) for url in options.urls}
    if options.lease:
        checks[f"Lease {options.lease}"] = Leader(options.lease).renews
    results = [succeeds(name, check, seconds) for name, check in checks.items()]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
