"""The backing servers as the operator reaches them, and what people may write wrong about them."""

import asyncio
import base64
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, cast

import pytest
from reconcile.fakes import FakeKube
from reconcile.world import SERVER
from support.authority import new_authority, new_public_key
from unit.operator.waiting import until
from vivero_core.backends.s3.client import VersityStorageAdmin
from vivero_core.backends.s3.iam import IamStorageAdmin
from vivero_core.backends.valkey.client import ValkeyAdmin
from vivero_core.backends.valkey.elasticache import ElastiCacheAdmin
from vivero_core.errors import BackendMisconfiguredError, BackendUnavailableError
from vivero_core.model.database_server import DatabaseServer
from vivero_operator.backend_clients import FRESH_SECONDS, WRONG_SECONDS, BackendClient, BackendClients, PlatformObjects
from vivero_operator.settings import Settings

Object = dict[str, Any]
DATABASE = DatabaseServer.parse(SERVER)
AUTHORITY, TICKET_KEY = new_authority(), new_public_key()

USES: dict[str, Callable[[BackendClients], Awaitable[object]]] = {
    "database": lambda backends: backends.database(DATABASE),
    "storage": lambda backends: backends.storage(),
    "cache": lambda backends: backends.cache(),
    "files": lambda backends: backends.platform_files(),
}
SECRETS = [
    ("database", "mariadb-admin", "username"),
    ("database", "mariadb-admin", "password"),
    ("storage", "s3-admin", "access_key"),
    ("storage", "s3-admin", "secret_key"),
    ("cache", "valkey-admin", "username"),
    ("cache", "valkey-admin", "password"),
]
MAPS = [
    ("database", "vivero-ca", "ca.crt"),
    ("storage", "vivero-ca", "ca.crt"),
    ("cache", "vivero-ca", "ca.crt"),
    ("files", "vivero-ca", "ca.crt"),
    ("files", "ticket-public-key", "ticket.pub"),
]
NO_PEM = [
    "no certificate",
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    "-----BEGIN PUBLIC KEY-----\nA\n-----END PUBLIC KEY-----\n",
    "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    "\N{GRINNING FACE}",
]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def platform_object(kind: str, name: str, **data: str) -> Object:
    return {"kind": kind, "metadata": {"name": name, "namespace": "vivero-system"}, "data": data}


def encoded(value: bytes) -> str:
    return base64.b64encode(value).decode()


@pytest.fixture
def kube() -> FakeKube:
    kube = FakeKube()
    for name, *keys in (
        ("mariadb-admin", "username", "password"),
        ("valkey-admin", "username", "password"),
        ("s3-admin", "access_key", "secret_key"),
    ):
        kube.put(platform_object("Secret", name, **{key: encoded(b"admin") for key in keys}))
    kube.put(platform_object("ConfigMap", "vivero-ca", **{"ca.crt": AUTHORITY}))
    kube.put(platform_object("ConfigMap", "ticket-public-key", **{"ticket.pub": TICKET_KEY}))
    return kube


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def backends(kube: FakeKube, clock: Clock) -> BackendClients:
    objects = PlatformObjects(cast("Any", kube), "vivero-system", clock)
    return BackendClients(Settings(data_plane_image="i"), objects)


def change(kube: FakeKube, kind: str, name: str, edit: Callable[[Object], object]) -> None:
    body = kube.objects[kind, "vivero-system", name]
    edit(body)
    kube.put(body)


def put(key: str, value: bytes, body: Object) -> None:
    body["data"][key] = encoded(value)


async def complaint(backends: BackendClients, use: str) -> str:
    with pytest.raises(BackendMisconfiguredError) as caught:
        await USES[use](backends)
    assert not caught.value.retryable
    return str(caught.value)


class TestWhatPeopleWrite:
    @pytest.mark.parametrize("use", USES)
    async def test_as_it_should_be(self, backends: BackendClients, use: str) -> None:
        await USES[use](backends)
        backends.close()

    @pytest.mark.parametrize(("use", "name", "key"), SECRETS)
    async def test_a_secret(
        self, backends: BackendClients, kube: FakeKube, clock: Clock, use: str, name: str, key: str
    ) -> None:
        good = dict(kube.objects["Secret", "vivero-system", name]["data"])
        wrong = {"no UTF-8": b"\xff\xfe", "is empty": b"", "key .* is empty": b" \n"}
        for what, value in wrong.items():
            change(kube, "Secret", name, partial(put, key, value))
            said = await complaint(backends, use)
            assert said.startswith(f"configuration: Secret vivero-system/{name} key {key} is ")
            assert what.rpartition(" ")[2] in said
            clock.now += WRONG_SECONDS
        change(kube, "Secret", name, lambda body: body["data"].pop(key))
        assert await complaint(backends, use) == f"configuration: Secret vivero-system/{name} has no key {key}"
        clock.now += WRONG_SECONDS
        change(kube, "Secret", name, lambda body: body.pop("data"))
        assert f"Secret vivero-system/{name} has no key " in await complaint(backends, use)
        clock.now += WRONG_SECONDS
        change(kube, "Secret", name, lambda body: body.update(data=dict(good)))
        await USES[use](backends)
        backends.close()

    @pytest.mark.parametrize(("use", "name", "key"), [*SECRETS[::2]])
    async def test_a_login_with_a_line_break(
        self, backends: BackendClients, kube: FakeKube, use: str, name: str, key: str
    ) -> None:
        """The commonest slip: `echo admin | base64`."""
        change(kube, "Secret", name, lambda body: body["data"].update({key: encoded(b"admin\n")}))
        assert "contains a line break" in await complaint(backends, use)

    @pytest.mark.parametrize(("use", "name", "key"), MAPS)
    @pytest.mark.parametrize("text", NO_PEM)
    async def test_a_map_whose_text_is_another(
        self, backends: BackendClients, kube: FakeKube, use: str, name: str, key: str, text: str
    ) -> None:
        change(kube, "ConfigMap", name, lambda body: body["data"].update({key: text}))
        said = await complaint(backends, use)
        assert said.startswith(f"configuration: ConfigMap vivero-system/{name} key {key} is not a PEM ")

    @pytest.mark.parametrize(("use", "name", "key"), MAPS)
    async def test_a_map(
        self, backends: BackendClients, kube: FakeKube, clock: Clock, use: str, name: str, key: str
    ) -> None:
        edits: list[tuple[Callable[[Object], object], str]] = [
            (lambda body: body["data"].update({key: ""}), f"key {key} is empty"),
            (lambda body: body["data"].pop(key), f"has no key {key}"),
            (lambda body: body.pop("data"), f"has no key {key}"),
            (lambda body: body.update(data=None), f"has no key {key}"),
            (lambda body: body.update(binaryData={key: encoded(b"\xff")}), f"key {key} is not UTF-8 text"),
        ]
        for edit, words in edits:
            change(kube, "ConfigMap", name, edit)
            assert await complaint(backends, use) == f"configuration: ConfigMap vivero-system/{name} {words}"
            clock.now += WRONG_SECONDS

    @pytest.mark.parametrize(
        ("use", "kind", "name"),
        [
            *((use, "Secret", name) for use, name, _ in SECRETS[::2]),
            *((use, "ConfigMap", name) for use, name, _ in MAPS),
        ],
    )
    async def test_what_is_not_there(
        self, backends: BackendClients, kube: FakeKube, use: str, kind: str, name: str
    ) -> None:
        del kube.objects[kind, "vivero-system", name]
        assert await complaint(backends, use) == f"configuration: {kind} vivero-system/{name} does not exist"

    @pytest.mark.parametrize("host", ["a..b", "x" * 64])
    async def test_a_host_that_can_be_none(self, backends: BackendClients, host: str) -> None:
        """Of the form that the definition allows."""
        server = DatabaseServer.parse({**SERVER, "spec": {**SERVER["spec"], "host": host}})
        with pytest.raises(BackendMisconfiguredError, match="not a valid host name"):
            await backends.database(server)

    @pytest.mark.parametrize(
        ("use", "setting"),
        [
            ("storage", {"s3_endpoint": "http://s3"}),
            ("storage", {"s3_endpoint": "https://s..3"}),
            ("cache", {"valkey_host": "a b"}),
        ],
    )
    async def test_an_address_among_the_settings(self, kube: FakeKube, use: str, setting: dict[str, str]) -> None:
        objects = PlatformObjects(cast("Any", kube), "vivero-system")
        with pytest.raises(BackendMisconfiguredError):
            await USES[use](BackendClients(Settings(data_plane_image="i", **setting), objects))  # type: ignore[arg-type]

    async def test_nothing_secret_is_said(self, backends: BackendClients, kube: FakeKube) -> None:
        change(kube, "Secret", "mariadb-admin", lambda body: body["data"].update({"password": encoded(b"hunter2\xff")}))
        assert "hunter2" not in await complaint(backends, "database")


def renew(kube: FakeKube, clock: Clock, secret: str, key: str = "password") -> None:
    change(kube, "Secret", secret, lambda body: body["data"].update({key: encoded(f"new {clock.now}".encode())}))
    clock.now += FRESH_SECONDS


class TestClients:
    async def test_one_for_each_server(self, backends: BackendClients, kube: FakeKube, clock: Clock) -> None:
        client, storage, cache = await backends.database(DATABASE), await backends.storage(), await backends.cache()
        assert len({client.breaker, storage.breaker, cache.breaker}) == 3
        renew(kube, clock, "mariadb-admin")
        assert await backends.database(DATABASE) is not client
        assert await backends.storage() is storage
        renew(kube, clock, "s3-admin", "secret_key")
        renew(kube, clock, "valkey-admin")
        assert await backends.storage() is not storage
        assert await backends.cache() is not cache
        backends.close()

    @pytest.mark.parametrize(("accounts", "kind"), [("versitygw", VersityStorageAdmin), ("iam", IamStorageAdmin)])
    async def test_a_setting_says_who_keeps_the_accounts_of_the_object_store(
        self, kube: FakeKube, clock: Clock, accounts: str, kind: type[object]
    ) -> None:
        settings = Settings.model_validate({"data_plane_image": "i", "s3_accounts": accounts})
        backends = BackendClients(settings, PlatformObjects(cast("Any", kube), "vivero-system", clock))
        assert type((await backends.storage()).admin) is kind
        backends.close()

    @pytest.mark.parametrize(("users", "kind"), [("acl", ValkeyAdmin), ("elasticache", ElastiCacheAdmin)])
    async def test_a_setting_says_who_keeps_the_users_of_the_cache(
        self, kube: FakeKube, clock: Clock, users: str, kind: type[object]
    ) -> None:
        keys = {key: encoded(b"admin") for key in ("access_key", "secret_key")}
        kube.put(platform_object("Secret", "elasticache-admin", **keys))
        settings = Settings.model_validate({"data_plane_image": "i", "valkey_users": users})
        backends = BackendClients(settings, PlatformObjects(cast("Any", kube), "vivero-system", clock))
        client = await backends.cache()
        assert type(client.admin) is kind
        renew(kube, clock, "elasticache-admin", "secret_key")
        assert (await backends.cache() is client) is (users == "acl")
        backends.close()

    async def test_what_is_read_is_believed_for_a_minute(
        self, backends: BackendClients, kube: FakeKube, clock: Clock
    ) -> None:
        client = await backends.database(DATABASE)
        renew(kube, clock, "mariadb-admin")
        clock.now -= 1
        assert await backends.database(DATABASE) is client
        backends.close()

    @pytest.mark.parametrize("use", ["database", "storage", "cache"])
    async def test_a_call_that_runs_ends_on_the_link_it_began_with(
        self, backends: BackendClients, kube: FakeKube, clock: Clock, use: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        old = cast("BackendClient[Any]", await USES[use](backends))
        gate, closed = threading.Event(), threading.Event()
        monkeypatch.setattr(old.admin, "close", closed.set)
        running = asyncio.create_task(old.breaker.call(gate.wait, 5))
        await asyncio.sleep(0.01)
        renew(
            kube,
            clock,
            {"database": "mariadb-admin", "storage": "s3-admin", "cache": "valkey-admin"}[use],
            "secret_key" if use == "storage" else "password",
        )
        new = cast("BackendClient[Any]", await USES[use](backends))
        assert new is not old
        with pytest.raises(BackendUnavailableError, match="were changed"):
            await old.breaker.call(max, 1, 2)
        assert await new.breaker.call(max, 1, 2) == 2
        assert not closed.is_set()
        gate.set()
        assert await running
        await until(closed.is_set)
        backends.close()

    async def test_calls_that_wait_for_a_thread_of_a_replaced_link_are_told(
        self, backends: BackendClients, kube: FakeKube, clock: Clock
    ) -> None:
        old = await backends.database(DATABASE)
        gate = threading.Event()
        running = [asyncio.create_task(old.breaker.call(gate.wait, 5)) for _ in range(20)]
        await asyncio.sleep(0.01)
        renew(kube, clock, "mariadb-admin")
        await backends.database(DATABASE)
        gate.set()
        results = await asyncio.gather(*running, return_exceptions=True)
        assert {type(one) for one in results} == {bool, BackendUnavailableError}
        backends.close()

    async def test_a_slip_leaves_the_link_as_it_was(
        self, backends: BackendClients, kube: FakeKube, clock: Clock
    ) -> None:
        client = await backends.database(DATABASE)
        change(kube, "Secret", "mariadb-admin", lambda body: body["data"].pop("password"))
        clock.now += FRESH_SECONDS
        await complaint(backends, "database")
        change(kube, "Secret", "mariadb-admin", lambda body: body["data"].update(password=encoded(b"admin")))
        await complaint(backends, "database")
        clock.now += WRONG_SECONDS
        assert await backends.database(DATABASE) is client
        backends.close()

    async def test_a_server_that_is_gone_keeps_no_threads(self, backends: BackendClients) -> None:
        client = await backends.database(DATABASE)
        backends.forget_database("main")
        backends.forget_database("main")
        with pytest.raises(BackendUnavailableError):
            await client.breaker.call(max, 1, 2)
        assert await backends.database(DATABASE) is not client
        backends.close()
