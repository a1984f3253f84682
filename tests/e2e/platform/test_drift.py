"""What somebody changes or removes behind the operator's back is as wanted again within a minute, and an event says so."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import valkey
from e2e.cluster import Kubectl, Sql, status_of, tenant
from e2e.waiting import wait_until
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.s3.client import VersityStorageAdmin
from vivero_core.backends.s3.transport import Call, Endpoint
from vivero_core.model import naming

NAME = "drifts"
CORRECTED_SECONDS = 60


@pytest.fixture(scope="module")
def ident(kubectl: Kubectl) -> Iterator[str]:
    """A tenant of its own for all cases."""
    kubectl("apply", "-f", "-", given=json.dumps(tenant(NAME, plan="trial")))
    kubectl("wait", "--for=condition=Ready", f"tenant/{NAME}", "--timeout=60s")
    # Its objects have been seen, and each server surveyed, before anybody touches anything.
    yield status_of(kubectl, "tenant", NAME)["id"]
    kubectl("delete", "tenant", NAME, "--timeout=80s")


def events(kubectl: Kubectl) -> dict[tuple[str, int], str]:
    """What was said of corrected drift, by the event's name and how often it was said; old ones expire."""
    chosen = f"involvedObject.kind=Tenant,involvedObject.name={NAME},reason=DriftCorrected"
    found = json.loads(kubectl("get", "events", "--field-selector", chosen, "-o", "json"))["items"]
    return {(one["metadata"]["name"], one.get("series", {}).get("count", 1)): one["message"] for one in found}


def told(kubectl: Kubectl, known: dict[tuple[str, int], str], part: str) -> bool:
    """Whether a new event names the part, or an old one was said again."""
    return any(part in message for said, message in events(kubectl).items() if said not in known)


OBJECTS: list[tuple[str, tuple[str, ...]]] = [
    ("Service", ("delete", "service", "app")),
    ("Ingress", ("delete", "ingress", "app")),
    ("NetworkPolicy", ("delete", "networkpolicy", "--all")),
    ("ResourceQuota", ("delete", "resourcequota", "--all")),
    ("Deployment", ("scale", "deployment", "app", "--replicas=0")),
    ("Deployment", ("label", "deployment", "app", "vivero.dev/tenant-")),
    ("Service", ("patch", "service", "app", "--type=merge", "-p", '{"spec":{"selector":{"app":"somebody-else"}}}')),
    ("Ingress", ("annotate", "ingress", "app", "--overwrite", "ingress.kubernetes.io/force-ssl-redirect=false")),
]


def as_wanted(kubectl: Kubectl, ident: str) -> bool:
    """All that the cases above touch is there and as the operator makes it."""
    found = json.loads(
        kubectl(
            "get",
            "service,ingress,deployment,networkpolicy,resourcequota",
            "-n",
            naming.namespace_name(ident),
            "-o",
            "json",
        )
    )["items"]
    by_kind = {one["kind"]: one for one in found}
    if set(by_kind) != {"Service", "Ingress", "Deployment", "NetworkPolicy", "ResourceQuota"}:
        return False
    deployment = by_kind["Deployment"]
    return (
        by_kind["Service"]["spec"]["selector"] == {"app.kubernetes.io/name": "vivero-data-plane"}
        and (deployment["spec"]["replicas"], deployment["metadata"]["labels"].get("vivero.dev/tenant")) == (1, ident)
        and by_kind["Ingress"]["metadata"]["annotations"]["ingress.kubernetes.io/force-ssl-redirect"] == "true"
    )


@pytest.mark.parametrize(("kind", "command"), OBJECTS, ids=[" ".join(command[:2]) for _, command in OBJECTS])
def test_objects(kubectl: Kubectl, ident: str, kind: str, command: tuple[str, ...]) -> None:
    assert as_wanted(kubectl, ident)
    known = events(kubectl)
    kubectl(*command, "-n", naming.namespace_name(ident))
    wait_until(lambda: as_wanted(kubectl, ident), CORRECTED_SECONDS, "everything as wanted")
    wait_until(lambda: told(kubectl, known, kind), 60, "an event that names it")
    kubectl("wait", "--for=condition=Ready", f"tenant/{NAME}", "--timeout=60s")


class Hand:
    """An administrator of the backing servers who does not know better."""

    def __init__(self, platform: dict[str, Any], run: Sql, ident: str) -> None:
        self._platform, self._run, self._ident = platform, run, ident
        self.bucket = naming.bucket_name(ident)

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        database = naming.database_name(self._ident)
        return self._run(statement.format(db=database, user=f"{database}a"))

    def acl(self, *words: str) -> Any:  # noqa: ANN401  a reply's shape is its command's
        url = urlsplit(self._platform["valkey"]["url"])
        with valkey.Valkey(
            host=url.hostname or "",
            port=url.port or 0,
            username=url.username,
            password=url.password,
            ssl=True,
            ssl_ca_certs=self._platform["ca"],
            decode_responses=True,
        ) as client:
            return client.execute_command("ACL", *words)

    def s3(self, call: Call) -> int:
        settings = self._platform["s3"]
        admin = Credentials(settings["access_key"], settings["secret_key"])
        storage = VersityStorageAdmin(
            Endpoint(settings["endpoint"], "us-east-1", Path(settings["ca"]).read_text()), admin
        )
        try:
            return storage._transport.signed(call, admin).status  # noqa: SLF001  a hand behind the operator's back
        finally:
            storage.close()

    def open_bucket(self) -> None:
        statement = {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{self.bucket}/*",
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]}).encode()
        assert self.s3(Call("PUT", f"/{self.bucket}", policy, {"policy": ""})) < 300

    def bucket_is_closed(self) -> bool:
        return self.s3(Call("GET", f"/{self.bucket}", query={"policy": ""})) == 404


SERVERS: dict[str, tuple[Callable[[Hand, str], Any], Callable[[Hand, str], bool]]] = {
    "a revoked grant": (
        lambda hand, _: hand.sql("REVOKE DROP ON `{db}`.* FROM `{user}`@'%'"),
        lambda hand, _: any("DROP" in row[0] for row in hand.sql("SHOW GRANTS FOR `{user}`@'%'")),
    ),
    "another password": (
        lambda hand, _: hand.sql("ALTER USER `{user}`@'%' IDENTIFIED BY 'another'"),
        lambda hand, _: (
            "another"
            not in str(
                hand.sql(
                    "SELECT IF(Priv LIKE CONCAT('%', PASSWORD('another'), '%'), 'another', 'ours') FROM mysql.global_priv WHERE User = '{user}'"
                )
            )
        ),
    ),
    "a grant too many": (
        lambda hand, _: hand.sql("GRANT SELECT ON mysql.* TO `{user}`@'%'"),
        lambda hand, _: not any("`mysql`" in row[0] for row in hand.sql("SHOW GRANTS FOR `{user}`@'%'")),
    ),
    "no cache user": (
        lambda hand, ident: hand.acl("DELUSER", naming.cache_user(ident)),
        lambda hand, ident: hand.acl("GETUSER", naming.cache_user(ident)) is not None,
    ),
    "all keys to the cache user": (
        lambda hand, ident: hand.acl("SETUSER", naming.cache_user(ident), "~*"),
        lambda hand, ident: "~*" not in str(hand.acl("GETUSER", naming.cache_user(ident))),
    ),
    "an open bucket": (lambda hand, _: hand.open_bucket(), lambda hand, _: hand.bucket_is_closed()),
}


# Each waits for a survey: one of every server in every run, the rest in the whole.
SAMPLE = ("a revoked grant", "all keys to the cache user", "an open bucket")


@pytest.mark.parametrize(
    "case", [case if case in SAMPLE else pytest.param(case, marks=pytest.mark.full) for case in SERVERS]
)
def test_servers(kubectl: Kubectl, platform: dict[str, Any], sql: Sql, ident: str, case: str) -> None:
    tamper, is_right = SERVERS[case]
    hand = Hand(platform, sql, ident)
    assert is_right(hand, ident)
    known = events(kubectl)
    tamper(hand, ident)
    # It may be corrected at once, where a pass was under way: the event tells that it was wrong.
    wait_until(lambda: told(kubectl, known, ""), CORRECTED_SECONDS, f"an event about {case}")
    wait_until(lambda: is_right(hand, ident), CORRECTED_SECONDS, f"the end of {case}")
