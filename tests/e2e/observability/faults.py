"""Faults of a platform, made for real: each is there for the length of its block, and knows what people do about it.

What a runbook's blocks cannot do, since it is at a server or in somebody's hand, is `mend`: it does as the text says.
"""

import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from e2e.cluster import Kubectl, Sql, status_of
from e2e.owned import OwnedTenant
from e2e.waiting import wait_until
from vivero_control.domain.billing.stripe import flat
from vivero_core.model import naming
from vivero_dev.localhost import local_client

PLATFORM = "vivero-system"
CONTROL_PLANE = "vivero_control"
CUSTOMERS = f"{CONTROL_PLANE}.billing_customers"
ARCHIVER = "vivero_archiver"
API = "vivero.dev/v1alpha1"
PATIENCE = 180.0
MANY = 8
"""More than the comparison with the payment provider may mend before people are told."""
LARGE = {"memoryRequest": "900Gi", "memoryLimit": "900Gi"}


@dataclass(frozen=True)
class Broken:
    """Labels of the alerts that tell of it, names for their runbook, and what its text leaves to people."""

    labels: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    mend: Callable[[], object] = lambda: None


@dataclass(frozen=True)
class Scene:
    """The platform, and what faults are made with."""

    kubectl: Kubectl
    sql: Sql
    platform: dict[str, Any]

    def patch(self, kind: str, name: str, spec: dict[str, Any]) -> None:
        self.kubectl("patch", kind, name, "--type=merge", "--patch", json.dumps({"spec": spec}))

    @contextmanager
    def made(self, kind: str, name: str, spec: dict[str, Any]) -> Iterator[None]:
        """A resource that is gone at the end."""
        body = {"apiVersion": API, "kind": kind, "metadata": {"name": name}, "spec": spec}
        self.kubectl("apply", "-f", "-", given=json.dumps(body))
        try:
            yield
        finally:
            self.kubectl("delete", kind, name, "--ignore-not-found", "--timeout=80s")

    @contextmanager
    def tenant(self) -> Iterator[OwnedTenant]:
        """One of the fault's own."""
        name = f"told-{secrets.token_hex(3)}"
        made = OwnedTenant(self.kubectl, self.platform, name)
        try:
            yield made
        finally:
            self.kubectl("annotate", "vt", name, "vivero.dev/paused-")
            self.kubectl("delete", "tenant", name, "--timeout=85s")

    def behind_the_log(self, statement: str) -> None:
        """By an administrator, so that no archive has it."""
        self.sql(f"SET STATEMENT sql_log_bin = 0 FOR {statement}")


Fault = Callable[[Scene], AbstractContextManager[Broken]]


@contextmanager
def server_away(at: Scene) -> Iterator[Broken]:
    """One of the fault's own at the real server's address, behind a port at which nothing listens."""
    name = f"away-{secrets.token_hex(3)}"
    spec = json.loads(at.kubectl("get", "vdb", "main", "-o", "json"))["spec"]
    port, own = spec["port"], spec | {"port": 1, "cordoned": True}
    own.pop("archiverSecret", None)
    with at.made("DatabaseServer", name, own):
        yield Broken({"system": f"mariadb-{name}"}, {"SERVER": name}, lambda: at.patch("vdb", name, {"port": port}))


@contextmanager
def pods_that_do_not_fit(at: Scene) -> Iterator[Broken]:
    """A pool whose plan asks for more than the node has."""
    name = f"low-{secrets.token_hex(3)}"
    spec = json.loads(at.kubectl("get", "plan", "starter", "-o", "json"))["spec"]
    plan = spec | {"offered": False, "workload": spec["workload"] | LARGE}
    with at.made("Plan", name, plan), spares_gone(at, name), at.made("TenantPool", name, {"plan": name, "size": 1}):
        yield Broken({"pool": name}, {"POOL": name, "SIZE": "2", "PLAN": name, "MEMORY": "96Mi"})


@contextmanager
def spares_gone(at: Scene, pool: str) -> Iterator[None]:
    """At the end: a plan stays while a spare uses it."""
    yield
    at.kubectl("wait", "--for=delete", "vt", f"--selector=vivero.dev/pool={pool}", "--timeout=85s")


def scaled_down(deployment: str) -> Fault:
    @contextmanager
    def breaks(at: Scene) -> Iterator[Broken]:
        one = (f"deployment/{deployment}", f"--namespace={PLATFORM}")
        replicas = at.kubectl("get", *one, "-o", "jsonpath={.spec.replicas}")
        at.kubectl("scale", *one, "--replicas=0")
        try:
            yield Broken(names={"DEPLOYMENT": deployment})
        finally:
            at.kubectl("scale", *one, f"--replicas={replicas}")
            at.kubectl("rollout", "status", *one, "--timeout=180s", seconds=200)

    return breaks


@contextmanager
def plan_that_is_not_there(at: Scene) -> Iterator[Broken]:
    """Its pods answer as before, and the operator does not know what it is to be."""
    with at.tenant() as one:
        plan = json.loads(at.kubectl("get", "vt", one.name, "-o", "json"))["spec"]["plan"]
        at.patch("vt", one.name, {"plan": f"no-{one.name}"})
        yield Broken({"tenant": one.name}, {"TENANT": one.name}, lambda: at.patch("vt", one.name, {"plan": plan}))


@contextmanager
def table_gone(at: Scene) -> Iterator[Broken]:
    """A workspace whose list of files cannot be read: one route fails, and its pods are ready."""
    with at.tenant() as one:
        schema = naming.database_name(one.id)
        at.sql(f"RENAME TABLE {schema}.files TO {schema}.files_away")
        with local_client(Path(at.platform["ca"])) as client:
            token = client.post(f"{one.url}/api/v1/auth/login", json=one.login).raise_for_status().json()
            asked = httpx.Headers({"Authorization": f"Bearer {token['access_token']}"})
            for _ in range(60):
                assert client.get(f"{one.url}/api/v1/files", headers=asked).is_server_error
                time.sleep(0.2)  # several scrapes see the number grow
        yield Broken(
            {"tenant_id": one.id},
            {"TENANT": one.name},
            lambda: at.sql(f"RENAME TABLE {schema}.files_away TO {schema}.files"),
        )


@contextmanager
def paused_without_pods(at: Scene) -> Iterator[Broken]:
    """For longer than the budget of three days has room for."""
    with at.tenant() as one:
        at.kubectl("annotate", "vt", one.name, "vivero.dev/paused=true")
        at.kubectl("scale", "deployment/app", "--replicas=0", "-n", one.namespace)
        yield Broken({"tenant": one.name}, {"TENANT": one.name})


@contextmanager
def changed_behind_the_log(at: Scene) -> Iterator[Broken]:
    """A tenant's table, by hand; its proof finds it."""
    with at.tenant() as one, at.made("TenantProof", one.name, {"tenant": one.name}):
        wait_until(lambda: _reason(at, one.name) != "", PATIENCE, "the first proof")
        schema, name = naming.database_name(one.id), f"{one.name}-2"
        at.behind_the_log(f"CREATE TABLE {schema}.by_hand (id INT)")
        with at.made("TenantProof", name, {"tenant": one.name}):
            wait_until(lambda: _reason(at, name) != "", PATIENCE, "the second one")
            assert _reason(at, name) == "Failed"
            names = {"TENANT": one.name, "NAME": f"{one.name}-3"}
            yield Broken({"result": "Failed"}, names, lambda: at.behind_the_log(f"DROP TABLE {schema}.by_hand"))


@contextmanager
def proof_of_long_ago(at: Scene) -> Iterator[Broken]:
    """The only one of a tenant, dated back."""
    with at.tenant() as one, at.made("TenantProof", one.name, {"tenant": one.name}):
        wait_until(lambda: _reason(at, one.name) == "Passed", PATIENCE, "the proof")
        long_ago = (datetime.now(UTC) - timedelta(days=9)).isoformat(timespec="seconds")
        status = json.dumps({"status": {"provenAt": long_ago}})
        at.kubectl("patch", "vpf", one.name, "--subresource=status", "--type=merge", "--patch", status)
        yield Broken(names={"TENANT": one.name, "NAME": f"{one.name}-2"})


@contextmanager
def bucket_refuses(at: Scene) -> Iterator[Broken]:
    """The backup bucket's key was changed, and its Secret not."""
    login = ("secret/backup-storage", f"--namespace={PLATFORM}")
    right = at.kubectl("get", *login, "-o", "jsonpath={.data.secret_key}")

    def set_key(value: str) -> None:
        at.kubectl("patch", *login, "--type=merge", "--patch", json.dumps({"data": {"secret_key": value}}))

    with ExitStack() as exits:
        exits.callback(set_key, right)
        set_key("d3Jvbmc=")
        yield Broken(mend=exits.close)


@contextmanager
def archiver_locked_out(at: Scene) -> Iterator[Broken]:
    """The database server takes its login no more."""
    hosts = at.sql(f"SELECT Host FROM mysql.user WHERE User = '{ARCHIVER}'")  # noqa: S608  a fixed name
    accounts = ", ".join(f"'{ARCHIVER}'@'{host}'" for (host,) in hosts)
    with ExitStack() as exits:
        exits.callback(at.sql, f"ALTER USER {accounts} ACCOUNT UNLOCK")
        at.sql(f"ALTER USER {accounts} ACCOUNT LOCK")
        at.sql(f"KILL CONNECTION USER '{ARCHIVER}'")
        yield Broken(mend=exits.close)


@contextmanager
def tables_changed_behind_the_log(at: Scene) -> Iterator[Broken]:
    """The control plane's, between a dump and the proof that follows it."""

    def dumped() -> str:
        return max(str(one["takenAt"]) for one in status_of(at.kubectl, "vpb", "platform")["dumps"])

    at.kubectl("wait", "vpb/platform", "--for=condition=Recoverable", "--timeout=85s")
    before = dumped()
    at.kubectl("annotate", "--overwrite", "vpb", "platform", f"vivero.dev/dump-at={datetime.now(UTC):%FT%TZ}")
    wait_until(lambda: dumped() > before, PATIENCE, "the dump")
    at.behind_the_log(f"CREATE TABLE {CONTROL_PLANE}.by_hand (id INT)")
    with ExitStack() as exits:
        exits.callback(at.behind_the_log, f"DROP TABLE IF EXISTS {CONTROL_PLANE}.by_hand")
        yield Broken(mend=exits.close)


@contextmanager
def statement_of_two_owners(at: Scene) -> Iterator[Broken]:
    """A table is moved from one tenant to another by hand."""
    with at.tenant() as one, at.tenant() as other:
        first, second = naming.database_name(one.id), naming.database_name(other.id)
        at.sql(f"CREATE TABLE {first}.moved (id INT)")
        at.sql(f"RENAME TABLE {first}.moved TO {second}.moved")
        yield Broken()


@contextmanager
def mail_server_wrong(at: Scene) -> Iterator[Broken]:
    """Mails cannot be sent, and are given up after a second: a person who asks for their workspaces gets no mail."""
    worker = ("deployment/vivero-control-plane-worker", f"--namespace={PLATFORM}")
    variables = {"VIVERO_MAIL__PORT": "1", "VIVERO_JOBS__PATIENCE_HOURS": "0.0003"}
    held = json.loads(at.kubectl("get", *worker, "-o", "json"))["spec"]["template"]["spec"]["containers"][0]["env"]
    before = {one["name"]: one["value"] for one in held if one["name"] in variables}

    def right() -> None:
        at.kubectl("set", "env", *worker, *(f"{k}={before[k]}" if k in before else f"{k}-" for k in variables))
        at.kubectl("rollout", "status", *worker, "--timeout=180s", seconds=200)

    at.kubectl("set", "env", *worker, *(f"{name}={value}" for name, value in variables.items()))
    at.kubectl("rollout", "status", *worker, "--timeout=180s", seconds=200)
    home = at.platform["control_plane_url"]
    try:
        with local_client(Path(at.platform["ca"])) as client:
            form = {"email": f"waits-{secrets.token_hex(4)}@example.com"}
            client.post(f"{home}/login/workspaces", data=form, headers={"Origin": home}).raise_for_status()

        def mend() -> None:
            right()
            replay_all(at)

        yield Broken(mend=mend)
    finally:
        right()


def replay_all(at: Scene) -> None:
    """Section 3 of the runbook, at the staff's page."""
    home = at.platform["control_plane_url"]
    dead = at.sql(f"SELECT id FROM {CONTROL_PLANE}.outbox WHERE state = 'dead' AND payload IS NOT NULL")  # noqa: S608  a fixed name
    with local_client(Path(at.platform["ca"])) as client:
        client.headers["Origin"] = home
        assert client.post(f"{home}/staff/login", data=at.platform["admin"]).is_redirect
        for (number,) in dead:
            assert client.post(f"{home}/staff/dead-letters/{number}/replay").is_redirect


@contextmanager
def unreadable_customers(at: Scene) -> Iterator[Callable[[], None]]:
    """The worker cannot read whom it is to compare, until what is yielded is called."""
    at.sql(f"RENAME TABLE {CUSTOMERS} TO {CUSTOMERS}_away")
    with ExitStack() as exits:
        exits.callback(at.sql, f"RENAME TABLE {CUSTOMERS}_away TO {CUSTOMERS}")
        restart_worker(at)
        yield exits.close


@contextmanager
def not_compared(at: Scene) -> Iterator[Broken]:
    with unreadable_customers(at) as mend:
        yield Broken(mend=mend)


@contextmanager
def paid_for_nothing(at: Scene) -> Iterator[Broken]:
    """Subscriptions that the provider has and we do not know of, of workspaces that are gone.

    They are found by a comparison of a worker that Prometheus has seen before: a counter that begins with a find has not grown.
    """
    marks = [secrets.token_hex(6) for _ in range(MANY)]
    try:
        with unreadable_customers(at) as again:
            time.sleep(10)  # some scrapes
            for mark in marks:
                customer = subscribed(at, mark)
                at.sql(
                    f"INSERT INTO {CUSTOMERS}_away (id, tenant_uid, tenant, provider_id, created_at)"  # noqa: S608  own words
                    f" VALUES (UUID(), '{mark}', 'gone-{mark}', '{customer}', UTC_TIMESTAMP())"
                )
            again()
            yield Broken()
    finally:
        for mark in marks:
            of = f"(SELECT id FROM {CUSTOMERS} WHERE tenant_uid = '{mark}')"  # noqa: S608  own words
            for table in ("billing_differences", "billing_invoices", "billing_subscriptions"):
                at.sql(f"DELETE FROM {CONTROL_PLANE}.{table} WHERE customer_id IN {of}")  # noqa: S608  own words
            at.sql(f"DELETE FROM {CUSTOMERS} WHERE tenant_uid = '{mark}'")  # noqa: S608  own words


def subscribed(at: Scene, mark: str) -> str:
    """The provider's name of a new customer, who has paid on its page."""
    told = at.platform["payments"]
    price = {
        "currency": "eur",
        "unit_amount": 1900,
        "recurring": {"interval": "month"},
        "product_data": {"name": "Starter"},
    }
    about = {"tenant_uid": mark, "plan": "starter"}
    checkout = {
        "mode": "subscription",
        "line_items": {"0": {"quantity": 1, "price_data": price}},
        "metadata": about,
        "subscription_data": {"metadata": about},
        "success_url": "https://example.com/paid",
        "cancel_url": "https://example.com/",
    }
    with local_client(Path(at.platform["ca"])) as client:
        client.base_url = httpx.URL(told["url"])
        client.headers["Authorization"] = f"Bearer {told['secret_key']}"

        def made(what: str, fields: dict[str, Any]) -> dict[str, Any]:
            answer: dict[str, Any] = client.post(f"/v1/{what}", data=dict(flat(fields))).raise_for_status().json()
            return answer

        customer = str(made("customers", {"email": f"owner-{mark}@example.com"})["id"])
        page = made("checkout/sessions", checkout | {"customer": customer})
        assert client.post(f"/pay/{page['id']}", data={"card": "pays"}).is_redirect
    return customer


def restart_worker(at: Scene) -> None:
    worker = ("deployment/vivero-control-plane-worker", f"--namespace={PLATFORM}")
    at.kubectl("rollout", "restart", *worker)
    at.kubectl("rollout", "status", *worker, "--timeout=180s", seconds=200)


def _reason(at: Scene, proof: str) -> str:
    """How a TenantProof has ended; empty while it runs."""
    found = "jsonpath={.status.conditions[?(@.type=='Complete')].reason}"
    said = at.kubectl("get", "vpf", proof, "-o", found)
    return said if said in {"Passed", "Failed", "Refused"} else ""
