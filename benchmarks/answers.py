"""What a workspace answers, of this commit beside an earlier one in one run: how long it takes, and how many bytes.

    git worktree add ../before <commit>
    (cd ../before && ./vivero up --instance before --pool 0 --requests-per-minute 6000)
    (cd ../before && ./vivero status --instance before --json) > before.json
    ./vivero up --pool 0 --requests-per-minute 6000
    ./vivero status --json > status.json
    python benchmarks/answers.py --status status.json --before before.json

Each request is sent to both demo tenants through their ingress before the next
one is, who is first changes each time, and one program asks: both see the same
machine, nobody waits behind another. Bytes are those of the wire, compressed:
what a browser that knows nothing loads, with the styles and scripts that the
page names.
"""

import re
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

import httpx
from figures import arguments, machine, percentile, print_table, read_status
from vivero_dev.localhost import local_client

RECORDS = 200
TYPES = ("text", "long_text", "number", "integer", "date", "email", "url", "boolean")
NAMED = re.compile(r'<(?:link[^>]+rel="stylesheet"[^>]+href|script[^>]+src)="([^"]+)"')
ROUND_SECONDS = 1.5
"""A round asks a workspace nine times, and the demo tenant's plan has a limit of requests a minute."""
COMPRESSED = {"Accept-Encoding": "gzip"}


@dataclass
class Side:
    """The demo tenant of one platform, with a collection to read and write, and what was measured."""

    client: httpx.Client
    url: str
    platform: str
    bearer: dict[str, str]
    name: str
    first: int
    seconds: dict[str, list[float]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    @property
    def collection(self) -> str:
        return f"{self.url}/api/v1/collections/{quote(self.name)}"

    @property
    def pages(self) -> dict[str, str]:
        at = f"{self.url}/collections/{quote(self.name)}"
        return {
            "landing page": f"{self.platform}/",
            "price list": f"{self.platform}/pricing",
            "home": f"{self.url}/",
            "table of 50 records": at,
            "form of a record": f"{at}/records/{self.first}",
            "users": f"{self.url}/users",
        }

    def measure(self, what: str, send: Callable[[], httpx.Response]) -> None:
        answer = send()
        answer.raise_for_status()
        self.seconds.setdefault(what, []).append(answer.elapsed.total_seconds())


def values(number: int) -> dict[str, Any]:
    """A record's, one for each type."""
    mail, link = f"person-{number}@example.com", f"https://example.com/{number}"
    told = (f"Person {number}", "Some words about them.\n" * 5, number + 0.5, number, "2026-11-28", mail, link, True)
    return dict(zip(TYPES, told, strict=True))


@contextmanager
def opened(status: dict[str, Any]) -> Iterator[Side]:
    """Logged in for programs and for pages; the collection goes away again."""
    demo = status["demo_tenant"]
    url = demo["url"].rstrip("/")
    login = {"email": demo["email"], "password": demo["password"]}
    with local_client(Path(status["ca"]), timeout=30.0) as client:
        told = client.post(f"{url}/api/v1/auth/login", json=login).raise_for_status().json()
        client.post(f"{url}/login", data=login, headers={"Origin": url})
        bearer, name = {"Authorization": f"Bearer {told['access_token']}"}, f"Measured {secrets.token_hex(3)}"
        fields = [{"name": kind, "type": kind} for kind in TYPES]
        new = {"name": name, "fields": fields}
        client.post(f"{url}/api/v1/collections", json=new, headers=bearer).raise_for_status()
        side = Side(client, url, status["control_plane_url"].rstrip("/"), bearer, name, 0)
        try:
            made = []
            for number in range(RECORDS):
                record = {"values": values(number)}
                made.append(client.post(f"{side.collection}/records", json=record, headers=bearer).raise_for_status())
            side.first = made[0].json()["id"]
            yield side
        finally:
            client.delete(side.collection, headers=bearer)


def requests(side: Side, number: int) -> dict[str, Callable[[], httpx.Response]]:
    """What is measured, once each."""
    client, records, bearer = side.client, f"{side.collection}/records", side.bearer
    one = f"{records}/{side.first}"
    calls: dict[str, Callable[[], httpx.Response]] = {
        "API: a page of 50": lambda: client.get(records, params={"limit": 50}, headers=bearer),
        "API: a page, filtered and sorted": lambda: client.get(
            records, params={"filter": "integer:gte:20", "sort": "-number", "limit": 50}, headers=bearer
        ),
        "API: a record": lambda: client.get(one, headers=bearer),
        "API: add a record": lambda: client.post(records, json={"values": values(number)}, headers=bearer),
        "API: change a record": lambda: client.patch(one, json={"values": {"integer": number}}, headers=bearer),
    }
    return calls | {f"page: {what}": lambda at=at: client.get(at) for what, at in side.pages.items()}


def weigh(side: Side) -> None:
    """Bytes of each page and of what it names."""
    for what, at in side.pages.items():
        page = side.client.get(at, headers=COMPRESSED).raise_for_status()
        named = [urljoin(at, one) for one in dict.fromkeys(NAMED.findall(page.text))]
        loaded = [side.client.get(one, headers=COMPRESSED).raise_for_status() for one in named]
        side.sizes[f"{what}, HTML"] = page.num_bytes_downloaded
        side.sizes[f"{what}, with styles and scripts"] = sum(one.num_bytes_downloaded for one in (page, *loaded))


def in_turn(sides: Sequence[Side], rounds: int) -> None:
    """Who is asked first changes each round; the first round pays for what is loaded once."""
    for number in range(rounds + 1):
        order = sides if number % 2 else sides[::-1]
        ends = time.monotonic() + ROUND_SECONDS
        calls = [(side, requests(side, number)) for side in order]
        for what in calls[0][1]:
            for side, sent in calls:
                side.measure(what, sent[what])
        time.sleep(max(0.0, ends - time.monotonic()))
    for side in sides:
        for measured in side.seconds.values():
            del measured[0]


def rows(before: Side, now: Side) -> list[list[str]]:
    """Above one, this commit is slower."""
    table = []
    for what, old in before.seconds.items():
        new = now.seconds[what]
        told = [f"{1000 * percentile(side, share):.1f} ms" for side in (old, new) for share in (0.5, 0.95)]
        table.append([what, *told, f"{percentile(new, 0.5) / percentile(old, 0.5):.2f}"])
    return table


def weights(before: Side, now: Side) -> list[list[str]]:
    return [
        [what, f"{size / 1024:.1f} KiB", f"{now.sizes[what] / 1024:.1f} KiB", f"{now.sizes[what] / size:.2f}"]
        for what, size in before.sizes.items()
    ]


def main() -> None:
    options = arguments(__doc__ or "", before="before.json", rounds=100)
    with ExitStack() as stack:
        files = (Path(options.before), options.status)
        before, now = (stack.enter_context(opened(read_status(file))) for file in files)
        in_turn((before, now), options.rounds)
        for side in (before, now):
            weigh(side)
    print(f"\n{options.rounds} requests of each sort to each side, one after the other; {machine()}\n")
    print_table(["", "before p50", "p95", "now p50", "p95", "ratio of p50"], rows(before, now))
    print()
    print_table(["loaded", "before", "now", "ratio"], weights(before, now))


if __name__ == "__main__":
    main()
