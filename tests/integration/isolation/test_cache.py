"""One tenant's cache login, tried on another tenant's keys and channels and on the server."""

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import valkey
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.valkey import acl
from vivero_core.backends.valkey.client import Server, ValkeyAdmin, _connect

MakeTenant = Callable[[], Any]


def run(client: valkey.Valkey, *command: str) -> Any:  # noqa: ANN401
    return client.execute_command(*command)


@pytest.fixture
def neighbour(new_tenant: MakeTenant, cache_server: Server) -> Any:  # noqa: ANN401
    """A tenant with something to lose."""
    tenant = new_tenant()
    with _connect(cache_server, tenant.cache_user) as client:
        run(client, "SET", f"{tenant.prefix}secret", "private")
    return tenant


@pytest.fixture
def intruder(new_tenant: MakeTenant, cache_server: Server) -> Iterator[tuple[valkey.Valkey, str]]:
    tenant = new_tenant()
    with _connect(cache_server, tenant.cache_user) as client:
        run(client, "SET", f"{tenant.prefix}own", "mine")
        yield client, tenant.prefix


ON_KEYS = [
    "GET {theirs}secret",
    "MGET {own}own {theirs}secret",
    "SET {theirs}secret x",
    "DEL {theirs}secret",
    "UNLINK {theirs}secret",
    "EXISTS {theirs}secret",
    "TYPE {theirs}secret",
    "TTL {theirs}secret",
    "EXPIRE {theirs}secret 1",
    "DUMP {theirs}secret",
    "OBJECT ENCODING {theirs}secret",
    "RENAME {theirs}secret {own}own",
    "RENAME {own}own {theirs}secret",
    "COPY {theirs}secret {own}own",
    "APPEND {theirs}secret x",
    "GETRANGE {theirs}secret 0 10",
    "LPUSH {theirs}queue x",
    "LRANGE {theirs}queue 0 10",
    "LMOVE {theirs}queue {own}ownlist LEFT LEFT",
    "BLPOP {theirs}queue 1",
    "SORT {theirs}queue",
    "SUNIONSTORE {own}ownset {theirs}secret",
    "WATCH {theirs}secret",
    "PUBLISH {theirs}secret x",
    "SUBSCRIBE {theirs}secret",
    "PUBLISH {own}news x",
    "SUBSCRIBE {own}news",
    "PSUBSCRIBE *",
    "PSUBSCRIBE {theirs}*",
    "SSUBSCRIBE {theirs}secret",
    "SET outside x",
    "SET {bare} x",
    "GET control:sessions",
]
ON_THE_SERVER = [
    "EVAL return(1) 0",
    "EVAL while(true)do(end)end 0",
    "EVAL_RO return(1) 0",
    "EVALSHA 0000000000000000000000000000000000000000 0",
    "SCRIPT LOAD return(1)",
    "MOVE {own}own 1",
    "WAIT 0 1",
    "BLPOP {own}list 0",
    "RPUSH {own}list x",
    "SETRANGE {own}own 500000000 x",
    "SCAN 0",
    "SCAN 0 MATCH {own}own*",
    "KEYS *",
    "KEYS {own}own*",
    "RANDOMKEY",
    "DBSIZE",
    "FLUSHDB",
    "FLUSHALL",
    "SWAPDB 0 1",
    "SELECT 1",
    "INFO",
    "CONFIG GET *",
    "CONFIG SET maxmemory 1",
    "ACL LIST",
    "ACL GETUSER default",
    "ACL SETUSER helper on nopass ~* +@all",
    "CLIENT LIST",
    "CLIENT KILL TYPE normal",
    "CLIENT PAUSE 1000",
    "CLIENT TRACKING ON BCAST",
    "CLIENT NO-EVICT on",
    "PUBSUB CHANNELS",
    "PUBSUB NUMSUB {theirs}secret",
    "CLUSTER GETKEYSINSLOT 0 10",
    "MEMORY STATS",
    "MEMORY USAGE {theirs}secret",
    "MONITOR",
    "SAVE",
    "BGSAVE",
    "SHUTDOWN NOSAVE",
    "REPLICAOF NO ONE",
    "SLOWLOG GET",
    "LATENCY LATEST",
    "MODULE LIST",
    "SCRIPT FLUSH",
    "SCRIPT KILL",
    "FUNCTION LIST",
    "FUNCTION FLUSH",
    "FCALL anything 0",
    "MIGRATE 127.0.0.1 1 {theirs}secret 0 1",
    "RESTORE {own}owncopy 0 x",
]


def aimed(attempt: str, own: str, theirs: str) -> list[str]:
    return attempt.format(own=own, theirs=theirs, bare=own.rstrip(":")).split()


@pytest.mark.parametrize("attempt", [*ON_KEYS, *ON_THE_SERVER])
def test_a_command_beyond_ones_own_keys_is_refused(
    neighbour: Any,  # noqa: ANN401
    intruder: tuple[valkey.Valkey, str],
    cache_server: Server,
    attempt: str,
) -> None:
    client, own = intruder
    with pytest.raises(valkey.exceptions.NoPermissionError):
        run(client, *aimed(attempt, own, neighbour.prefix))
    with _connect(cache_server, neighbour.cache_user) as victim:
        assert run(victim, "GET", f"{neighbour.prefix}secret") == "private"


def test_what_no_program_of_ours_uses_is_refused(cache_admin: ValkeyAdmin, intruder: tuple[valkey.Valkey, str]) -> None:
    """Every command that this server has, asked for on the tenant's own keys."""
    _, own = intruder
    admin, user = cache_admin._client, own.rstrip(":")  # noqa: SLF001  the administrator's own connection
    names = run(admin, "COMMAND LIST")
    groups = {name.partition("|")[0] for name in names if "|" in name}
    allowed = set()
    for name, arity, *_ in run(admin, "COMMAND INFO", *names):
        words = name.split("|")
        filled = [*words, *[f"{own}key"] * (abs(arity) - len(words))]
        if name not in groups and run(admin, "ACL", "DRYRUN", user, *filled) == "OK":
            allowed.add(name)
    unbound = {"quit", "reset"}  # as AUTH and HELLO, for whoever can connect
    assert allowed - unbound == {one.removeprefix("+") for one in acl.COMMANDS[1:]}


@pytest.mark.parametrize(
    "command",
    [
        "PING",
        "SET {own}n 1 EX 60",
        "GET {own}n",
        "INCR {own}n",
        "DECR {own}n",
        "EXPIRE {own}n 60",
        "PTTL {own}n",
        "DEL {own}n",
    ],
)
def test_ones_own_keys_serve(intruder: tuple[valkey.Valkey, str], command: str) -> None:
    client, own = intruder
    run(client, *aimed(command, own, ""))


def test_a_prefix_is_no_prefix_of_a_longer_name(cache_admin: ValkeyAdmin, intruder: tuple[valkey.Valkey, str]) -> None:
    client, own = intruder
    longer = own.replace(":", "a:key")
    run(cache_admin._client, "SET", longer, "private", "EX", "60")  # noqa: SLF001  the administrator's own connection
    with pytest.raises(valkey.exceptions.NoPermissionError):
        run(client, "GET", longer)


def test_nobody_gets_in_without_a_name_or_with_anothers_password(
    neighbour: Any,  # noqa: ANN401
    new_tenant: MakeTenant,
    cache_server: Server,
) -> None:
    other = new_tenant()
    for login in (Credentials("default", ""), Credentials(neighbour.cache_user.name, other.cache_user.secret)):
        with _connect(cache_server, login) as client, pytest.raises(valkey.exceptions.ValkeyError):
            run(client, "GET", f"{neighbour.prefix}secret")


def test_a_connection_without_tls_or_with_an_older_one_is_refused(cache_server: Server) -> None:
    address = (cache_server.host, cache_server.port)
    with socket.create_connection(address, 5) as plain:
        plain.sendall(b"PING\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert b"PONG" not in plain.recv(100)
    older = ssl.create_default_context(cadata=cache_server.authority)
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(address, 5) as plain, pytest.raises(ssl.SSLError):
        older.wrap_socket(plain, server_hostname=cache_server.host)
