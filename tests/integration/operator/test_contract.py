"""What the API server takes, every program can read and use; and what the operator makes of it, the API server takes.

Objects are drawn from the definitions' own schemas and sent as dry runs, so that the API server itself is the judge.
A seeded sample in every run, many more with `-m full`.
"""

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from support import consumers
from support.api_server import empty_api_server
from support.definitions import await_definitions
from support.from_schema import DATES, Hints, Schema, objects
from unit.operator.made import SPECS
from vivero_core.backends.kube import config as kube_config
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.errors import KubeInvalidError
from vivero_core.backends.kube.resources import (
    DATABASE_SERVER,
    PLAN,
    RELEASE,
    TENANT,
    Resource,
    resource_of,
)
from vivero_core.model.constants import ANNOTATION_RESTART, API_VERSION, ConditionType, Reason
from vivero_core.model.database_server import DatabaseServer
from vivero_core.model.naming import EMAIL_PATTERN, HOST_PATTERN, SLUG_PATTERN
from vivero_core.model.plan import Plan
from vivero_core.model.reading import Unreadable, read
from vivero_core.model.release import Release
from vivero_core.model.tenant import Tenant
from vivero_operator import kinds

_REASONS = st.from_regex("[A-Z][A-Za-z]{1,62}", fullmatch=True)
_CONDITIONS = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.one_of(st.sampled_from(list(ConditionType)), _REASONS),
            "status": st.sampled_from(("True", "False", "Unknown")),
            "reason": st.one_of(st.sampled_from(list(Reason)), _REASONS),
            "lastTransitionTime": st.sampled_from(DATES[:9]),
        },
        optional={"message": st.text(max_size=1024), "observedGeneration": st.integers(0, 2**53 - 1)},
    ),
    max_size=8,
    unique_by=lambda one: one["type"],
)

CRDS: Final = Path(__file__).parents[3] / "crds"
SAMPLE, WHOLE = 40, 1000

Object = dict[str, Any]
SLUGS = st.from_regex(SLUG_PATTERN, fullmatch=True).filter(lambda text: "--" not in text)
HOSTS = st.one_of(
    st.sampled_from(("app.example.com", "a.co", f"{'a' * 63}.{'b' * 63}.{'c' * 63}.{'d' * 61}")),
    st.from_regex(HOST_PATTERN, fullmatch=True).filter(lambda text: len(text) <= 253),
)
EMAILS = st.one_of(st.just("owner@example.com"), st.from_regex(EMAIL_PATTERN, fullmatch=True))
NAMES = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z0-9]{1,5})?", fullmatch=True)
TITLES = st.one_of(
    st.text(min_size=1, max_size=80).filter(str.isprintable).map(lambda text: f"x{text}x"[:80]),
    st.sampled_from(("Zoë & Söhne 株式会社", "🎉")),
)
TARGETS = st.one_of(
    st.just({"inPlace": True}),
    st.fixed_dictionaries({"tenant": NAMES, "slug": SLUGS}),
    st.just({"inPlace": False}),
    st.fixed_dictionaries({"asOf": st.fixed_dictionaries({}, optional={"host": HOSTS})}),
)
"""Of a TenantRestore."""
CPUS = st.sampled_from(("1m", "20m", "100m", "999999m", "0.5", "1", "2.125", "256", "255.999", "00.1", "0", "1.0"))
MEMORIES = st.sampled_from(
    ("16Mi", "64Mi", "96Mi", "256Mi", "1.5Gi", "1024Gi", "67108864", "65536Ki", "64000k", "70M", "1G")
)


_OWNER: Final = {"email": "owner@example.com"}


def _living(spec: Object) -> Object:
    """A customer's, a spare, or one that was claimed: what goes together, together."""
    life = spec.pop("life")
    left_out = {"customer": ("pool", "claimedAt"), "spare": ("slug", "owner", "claimedAt"), "claimed": ()}[life]
    if life != "customer":
        spec.setdefault("pool", "trial")
    if life != "spare":
        spec = {"slug": "contract", "owner": _OWNER} | spec
    if life == "claimed":
        spec.setdefault("claimedAt", DATES[0])
    found = {key: value for key, value in spec.items() if key not in left_out}
    if found.get("plan") != "trial":
        found.pop("trialEndsAt", None)
    hosts = found.get("hosts") or []
    given = [one | {"host": hosts[0]} for one in found.get("hostCertificates", ())[:1] if hosts]
    return found | {"hostCertificates": given}


@dataclass(frozen=True)
class Kind:
    """One of our kinds, and what has to be known to draw good ones."""

    resource: Resource
    model: type[Any]
    use: Callable[[Object], Coroutine[Any, Any, list[Object]]]
    hints: Hints = field(default_factory=dict)
    together: Callable[[Object], Object] = lambda spec: spec
    standing: Mapping[str, Any] = field(default_factory=dict)
    """Spec of one that is there while statuses are tried."""
    whole: bool = True
    """Whether the definition says all that Kubernetes asks of what is made from it."""
    status_hints: Hints = field(default_factory=dict)

    @property
    def schema(self) -> Schema:
        document = yaml.safe_load((CRDS / f"{self.resource.plural}.yaml").read_text())
        root: Schema = document["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        return root

    def body(self, name: str, **parts: Any) -> Object:  # noqa: ANN401  parts of an object
        return {"apiVersion": API_VERSION, "kind": self.resource.kind, "metadata": {"name": name}, **parts}

    def __str__(self) -> str:
        """As a test is called."""
        return self.resource.kind


_KNOWN: Final = (
    Kind(
        TENANT,
        Tenant,
        consumers.of_tenant,
        {
            "displayName": TITLES,
            "slug": SLUGS,
            "hosts": st.lists(HOSTS, max_size=3, unique=True),
            "plan": st.one_of(st.just("trial"), NAMES),
            "owner": st.fixed_dictionaries({"email": EMAILS}, optional={"passwordHashSecret": NAMES}),
            "hostCertificates": st.lists(st.fixed_dictionaries({"secretName": NAMES}), max_size=1),
        },
        _living,
        {"displayName": "Contract", "slug": "contract", "plan": "trial", "owner": _OWNER},
    ),
    Kind(
        PLAN,
        Plan,
        consumers.of_plan,
        {
            **{f"workload.cpu{one}": CPUS for one in ("Request", "Limit")},
            **{f"workload.memory{one}": MEMORIES for one in ("Request", "Limit")},
            "limits.connections": st.sampled_from((10, 15, 100, 10_000)),
            "workload.replicas": st.sampled_from((1, 2, 3, 50)),
        },
        lambda spec: {key: value for key, value in spec.items() if key != "trialDays"},
        {"displayName": "Contract", "price": {"amountCents": 0}},
    ),
    Kind(
        DATABASE_SERVER,
        DatabaseServer,
        consumers.of_database_server,
        {"host": st.one_of(HOSTS, st.sampled_from(("localhost", "10.0.0.1", "fd00::1", "DB.Example.COM")))},
        standing={"host": "nowhere.invalid", "adminSecret": "none", "caConfigMap": "none", "cordoned": True},
    ),
    Kind(
        RELEASE,
        Release,
        consumers.of_release,
        {"podTemplate.spec.containers": st.just([{"name": "app", "image": "none"}])},
        standing={"image": "none", "podTemplate": {"spec": {"containers": [{"name": "app"}]}}},
        whole=False,
    ),
)
KINDS: Final = (
    *_KNOWN,
    *(
        # A kind of which nothing special has to be known to draw good ones.
        Kind(spec.resource, spec.model, consumers.of_kind(spec), {"target": TARGETS}, standing=SPECS[spec.kind])
        for spec in kinds.KINDS
        if spec.model not in {one.model for one in _KNOWN}
    ),
)
COUNTS = [SAMPLE, pytest.param(WHOLE, marks=pytest.mark.full)]


class Judge:
    """The API server, asked from tests that are not asynchronous: hypothesis runs no others."""

    def __init__(self, runner: asyncio.Runner, kube: KubeClient) -> None:
        self.runner, self.kube = runner, kube

    def takes(self, method: str, path: str, body: Object, media_type: str = "application/json") -> Object | None:
        """What would be stored; None when it is refused."""
        call = self.kube._request(method, path, body, query={"dryRun": "All"}, media_type=media_type)  # noqa: SLF001
        try:
            return self.runner.run(call)
        except KubeInvalidError:
            return None

    def creates(self, body: Object) -> Object | None:
        meta = body["metadata"]
        return self.takes("POST", resource_of(body).path(namespace=meta.get("namespace")), body)

    def changes_status(self, resource: Resource, name: str, status: Object) -> Object | None:
        path = resource.path(name, subresource="status")
        return self.takes("PATCH", path, {"status": status}, "application/merge-patch+json")

    def check_made(self, kind: Kind, name: str, made: list[Object]) -> None:
        """What the operator has written of it would be taken."""
        for manifest in consumers.children(made) if kind.whole else ():
            assert self.creates(manifest) is not None, manifest
        for item in made:
            if item["kind"] == kind.resource.kind and "status" in item:
                assert self.changes_status(kind.resource, name, item["status"]) is not None, item["status"]


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    """An API server of its own, where no operator answers to what is made."""
    folder = tmp_path_factory.mktemp("contract")
    with empty_api_server(folder) as server, asyncio.Runner() as runner:
        server.kubectl.run("apply", "--server-side", "-f", str(CRDS))
        await_definitions(server.kubectl)
        config = kube_config.load(folder / "kubeconfig")
        kube = runner.run(KubeClient(config, field_manager="operator-tests").__aenter__())
        yield Judge(runner, kube)
        runner.run(kube.close())


@pytest.fixture
def standing(judge: Judge, kind: Kind) -> str:
    """One that is there."""
    body = kind.body(f"contract-{secrets.token_hex(4)}", spec=kind.standing)
    made: str = judge.runner.run(judge.kube.create(body))["metadata"]["name"]
    return made


def many(count: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )


def without_nulls(value: Any) -> Any:  # noqa: ANN401  any JSON
    if isinstance(value, dict):
        return {key: without_nulls(one) for key, one in value.items() if one is not None}
    return [without_nulls(one) for one in value] if isinstance(value, list) else value


def specs(kind: Kind) -> st.SearchStrategy[Object]:
    schema = kind.schema["properties"]["spec"]
    drawn = objects(schema, kind.hints)
    if kind.resource is TENANT:
        lives = st.sampled_from(("customer", "customer", "spare", "claimed"))
        drawn = st.builds(lambda spec, life: {**spec, "life": life}, drawn, lives)
    return drawn.map(lambda spec: _tried(kind, spec))


def _tried(kind: Kind, spec: Object) -> Object:
    """Together if it can be: what is odd enough is sent as it is."""
    try:
        return kind.together(dict(spec))
    except (TypeError, AttributeError, IndexError, KeyError):
        return {key: value for key, value in spec.items() if key != "life"}


METADATA = st.fixed_dictionaries(
    {},
    optional={
        "annotations": st.dictionaries(st.sampled_from((ANNOTATION_RESTART, "a.example/b")), st.text(max_size=40)),
        "labels": st.dictionaries(
            st.sampled_from(("vivero.dev/signup", "a.example/b")), st.sampled_from(("", "a", "A_b.c"))
        ),
        "name": st.one_of(NAMES, st.sampled_from(("a" * 63, "a" * 64, "a" * 253, "a.b-c", "0"))),
    },
)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_what_is_taken_can_be_read_and_used(judge: Judge, standing: str, kind: Kind, count: int) -> None:
    taken = 0

    @many(count)
    @given(specs(kind), METADATA)
    def try_one(spec: Object, meta: Object) -> None:
        nonlocal taken
        body = kind.body("contract", spec=spec)
        body["metadata"] |= meta
        stored = judge.creates(body)
        if stored is None:
            return
        taken += 1
        note(f"{spec!r}")
        found = read(kind.model, stored)
        assert not isinstance(found, Unreadable), found.why
        again = kind.body(found.name, spec=found.spec.dump())
        restored = judge.creates(again)
        assert restored is not None, "what the model writes is refused"
        assert read(kind.model, {**stored, "spec": restored["spec"]}) == found
        judge.check_made(kind, standing, judge.runner.run(kind.use(stored)))

    try_one()
    assert taken > count / 10, f"only {taken} of {count} were taken: the sample says little"


def statuses(kind: Kind) -> st.SearchStrategy[Object]:
    return objects(kind.schema["properties"]["status"], {"conditions": _CONDITIONS, **kind.status_hints})


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_any_status_that_is_taken_can_be_read_and_used(judge: Judge, standing: str, kind: Kind, count: int) -> None:
    taken = 0

    @many(count)
    @given(statuses(kind))
    def try_one(status: Object) -> None:
        nonlocal taken
        stored = judge.changes_status(kind.resource, standing, status)
        if stored is None:
            return
        taken += 1
        found = read(kind.model, stored)
        assert not isinstance(found, Unreadable), found.why
        assert found.unread_status == ()
        again = found.dump()["status"]
        restored = judge.changes_status(kind.resource, standing, again)
        assert restored is not None, "what the model writes is refused"
        assert read(kind.model, {**stored, "status": restored["status"]}) == found
        judge.check_made(kind, standing, judge.runner.run(kind.use({**stored, "spec": {**stored["spec"]}})))

    try_one()
    assert taken > count / 10, f"only {taken} of {count} were taken: the sample says little"
