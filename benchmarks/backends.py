"""What each of the operator's calls to a backend costs, the first time and when nothing is to be done.

python benchmarks/backends.py --status status.json
"""

import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack

from bare_pod import CONNECTIONS, Backends
from figures import arguments, machine, print_table, read_status, summary
from vivero_core.backends.credentials import Credentials
from vivero_core.model import naming

Calls = dict[str, Callable[[], object]]


def calls(backends: Backends, erasure: ExitStack) -> tuple[Calls, Calls]:
    """What makes a tenant, and what proves it, in the operator's order."""
    ident = naming.tenant_id(str(uuid.uuid4()))
    secret = uuid.uuid4().hex
    database, bucket = naming.database_name(ident), naming.bucket_name(ident)
    user, account = Credentials(naming.database_users(ident)[0], secret), Credentials(bucket, secret)
    cache_user = Credentials(naming.cache_user(ident), secret)
    erasure.callback(backends.cache.drop_user, cache_user.name)
    erasure.callback(backends.storage.delete_account, account.name)
    erasure.callback(backends.storage.delete_bucket, bucket)
    erasure.callback(backends.database.drop_database, database)
    erasure.callback(backends.database.drop_users, database)
    ensuring: Calls = {
        "MariaDB: schema": lambda: backends.database.ensure_database(database),
        "MariaDB: user and grant": lambda: backends.database.ensure_user(user, database, CONNECTIONS),
        "S3: account": lambda: backends.storage.ensure_account(account),
        "S3: bucket": lambda: backends.storage.ensure_bucket(bucket, bucket),
        "Valkey: user": lambda: backends.cache.ensure_user(cache_user),
    }
    proving: Calls = {
        "MariaDB: proof": lambda: backends.database.prove(user, database),
        "S3: proof": lambda: backends.storage.prove(account, bucket),
        "Valkey: proof": lambda: backends.cache.prove(cache_user),
    }
    return ensuring, proving


def milliseconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000


def cells(values: list[float]) -> list[str]:
    figures = summary(values)
    return [f"{figures['p50']:.1f} ms", f"{figures['p95']:.1f} ms"]


def main() -> None:
    options = arguments(__doc__ or "", rounds=50)
    backends = Backends(read_status(options.status))
    first: dict[str, list[float]] = defaultdict(list)
    again: dict[str, list[float]] = defaultdict(list)
    with ExitStack() as erasure:
        for _ in range(options.rounds):
            ensuring, proving = calls(backends, erasure)
            for name, call in {**ensuring, **proving}.items():
                first[name].append(milliseconds(call))
            for name, call in {**ensuring, **proving}.items():
                again[name].append(milliseconds(call))
    print(f"{options.rounds} tenants, one after another; {machine()}\n")
    rows = [[name, *cells(first[name]), *cells(again[name])] for name in first]
    print_table(["call", "first, p50", "first, p95", "again, p50", "again, p95"], rows)


if __name__ == "__main__":
    main()
