"""docs/install.md, executed word for word.

Blocks `sh` run in order against an API server of their own; blocks `sh running` wait for pods and run in
test_first_tenant.py. MariaDB and Valkey are fresh servers started with the guide's own configuration.
"""

import base64
import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pymysql
import pytest
import valkey
import yaml
from support.api_server import LOOPBACK, ApiServer
from support.guide import Block, Shell, blocks
from support.own_services import OwnServer, own_mariadb, own_valkey
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.mariadb.client import MariaDbAdmin
from vivero_core.backends.mariadb.client import Server as DatabaseServer
from vivero_core.backends.valkey.client import Server as CacheServer
from vivero_core.backends.valkey.client import ValkeyAdmin
from vivero_core.model import naming
from vivero_dev.certificates import Authority
from vivero_dev.instance import cache_root
from vivero_dev.native.tools import ensure_tool
from vivero_dev.platform.kubectl import Kubectl
from vivero_dev.steps import silently

ROOT = Path(__file__).parents[3]
GUIDE = ROOT / "docs/install.md"
BLOCKS = blocks(GUIDE)
NAMES = next(block for block in BLOCKS if block.section.startswith("2."))
DEFINITIONS = ROOT / "charts/vivero-crds/templates"
NAMESPACE, SIGNUPS, DOMAIN = "guide-platform", "guide-signups", "guide.example.com"

Json = dict[str, Any]


def shown(*sections: str) -> list[Block]:
    """The blocks `sh` of these sections, in the guide's order."""
    return [block for block in BLOCKS if block.info == "sh" and block.section.partition(".")[0] in sections]


def file_block(name: str) -> str:
    return next(block.text for block in BLOCKS if block.info.endswith(f" {name}"))


@dataclass(frozen=True)
class Installed:
    """What the guide made, up to and with section 6."""

    shell: Shell
    cluster: ApiServer
    authority: Authority
    mariadb: OwnServer
    valkey: OwnServer

    def secret(self, name: str) -> dict[str, bytes]:
        found = self.cluster.kubectl.get("secret", name, NAMESPACE)
        assert found is not None, name
        return {key: base64.b64decode(value) for key, value in found["data"].items()}

    def files(self, volume: Json) -> dict[str, bytes]:
        """What a pod finds in a volume that is made from a Secret or a ConfigMap."""
        if "secret" in volume:
            return self.secret(volume["secret"]["secretName"])
        found = self.cluster.kubectl.get("configmap", volume["configMap"]["name"], NAMESPACE)
        assert found is not None, volume
        return {key: value.encode() for key, value in found["data"].items()}

    def login(self, secret: str) -> Credentials:
        data = self.secret(secret)
        return Credentials(data["username"].decode(), data["password"].decode())


@pytest.fixture(scope="module")
def installed(cluster: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    folder = tmp_path_factory.mktemp("guide")
    (folder / "charts").symlink_to(ROOT / "charts")
    authority = Authority(folder / "authority")
    for name, host in (("tls", DOMAIN), ("wildcard", f"*.{DOMAIN}")):
        pair = authority.issue(name, [host])
        (folder / f"{name}.crt").write_text(pair.certificate.read_text())
        (folder / f"{name}.key").write_text(pair.key.read_text())
    (folder / "ca.crt").write_text(authority.certificate.read_text())
    (folder / "registry.json").write_text(json.dumps({"auths": {"registry.example.com": {"auth": "dXNlcjpwYXNz"}}}))
    for name in ("mariadb.cnf", "valkey.conf"):
        (folder / name).write_text(file_block(name))
    cluster.kubectl.run("apply", "--server-side", f"--filename={contour_definitions(folder)}")
    with ExitStack() as stack:
        database_folder, cache_folder = (tmp_path_factory.mktemp(name) for name in ("mariadb", "valkey"))
        database = stack.enter_context(own_mariadb(database_folder, folder / "mariadb.cnf", authority))
        shell = Shell(
            NAMES,
            folder,
            {
                "PATH": f"{cluster.helm.parent}:{cluster.kubectl.program.parent}:{os.environ['PATH']}",
                "KUBECONFIG": str(cluster.kubectl.kubeconfig),
                "NAMESPACE": NAMESPACE,
                "SIGNUPS": SIGNUPS,
                "BASE_DOMAIN": DOMAIN,
                "MARIADB": f"mariadb --no-defaults --user=root --socket={database.socket}",
            },
        )
        shell.run_all(shown("3", "4"))
        cache = stack.enter_context(
            own_valkey(cache_folder, folder / "valkey.conf", folder / "secrets/users.acl", authority)
        )
        shell.run_all(shown("5", "6"))
        yield Installed(shell, cluster, authority, database, cache)


def contour_definitions(folder: Path) -> Path:
    """Contour is there before the guide begins; of it, the definitions are enough here."""
    return ensure_tool(cache_root(), "contour", folder / "contour.log", silently) / "manifests/01-crds.yaml"


def pod_specs(kubectl: Kubectl) -> list[Json]:
    return [item["spec"]["template"]["spec"] for item in kubectl.list("deployments", NAMESPACE)]


def references(spec: Json) -> Iterator[tuple[str, str]]:
    """Secrets and ConfigMaps that a pod mounts, reads or is pulled with, and those that its variables name."""
    yield from (("secret", item["name"]) for item in spec.get("imagePullSecrets", []))
    for volume in spec["volumes"]:
        if "secret" in volume:
            yield "secret", volume["secret"]["secretName"]
        if "configMap" in volume:
            yield "configmap", volume["configMap"]["name"]
    # An empty value, for what the platform does without, is none in the object.
    for variable in (entry for container in spec["containers"] for entry in container["env"] if "value" in entry):
        if variable["name"].endswith("_SECRET"):
            yield "secret", variable["value"]
        if variable["name"].endswith("_CONFIG_MAP"):
            yield "configmap", variable["value"]
        if variable["name"] == "VIVERO_DATA_PLANE_POD":
            yield from (("secret", item["name"]) for item in json.loads(variable["value"])["imagePullSecrets"])


def test_everything_that_is_referred_to_exists(installed: Installed) -> None:
    kubectl = installed.cluster.kubectl
    wanted = {reference for spec in pod_specs(kubectl) for reference in references(spec)}
    for server in kubectl.list("databaseservers"):
        wanted |= {("secret", server["spec"]["adminSecret"]), ("configmap", server["spec"]["caConfigMap"])}
    for route in kubectl.list("ingresses", NAMESPACE):
        wanted |= {("secret", entry["secretName"]) for entry in route["spec"]["tls"]}
    assert len(wanted) >= 10
    assert [name for name in wanted if kubectl.get(*name, NAMESPACE) is None] == []
    assert kubectl.get("namespace", SIGNUPS) is not None


def test_the_guide_names_every_secret(installed: Installed) -> None:
    made = {item["metadata"]["name"] for item in installed.cluster.kubectl.list("secrets", NAMESPACE)}
    own = {name for name in made if not name.startswith("sh.helm.release.")}
    assert [name for name in own if name not in GUIDE.read_text()] == []


def test_the_programs_start_with_these_settings(installed: Installed, tmp_path: Path) -> None:
    """As their pods would: the same variables, the same files."""
    deployments = installed.cluster.kubectl.list("deployments", NAMESPACE)
    assert deployments
    for deployment in deployments:
        spec = deployment["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        # An empty value is left out by the API server.
        environment = {one["name"]: one.get("value", "name" if "valueFrom" in one else "") for one in container["env"]}
        mounted = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        for volume in (volume for volume in spec["volumes"] if "emptyDir" not in volume):
            folder = tmp_path / volume["name"]
            folder.mkdir(exist_ok=True)
            for key, value in installed.files(volume).items():
                (folder / key).write_bytes(value)
            environment = {
                name: value.replace(mounted[volume["name"]], str(folder)) for name, value in environment.items()
            }
        code = "from vivero_control.settings import load; load()"
        if "VIVERO_DATA_PLANE_IMAGE" in environment:
            code = "from vivero_operator.settings import Settings; Settings()"
        loaded = subprocess.run(  # noqa: S603  this Python and words of this test
            [sys.executable, "-c", code],
            env={"PYTHONPATH": os.pathsep.join(sys.path), "VIVERO_SECRETS_DIR": str(tmp_path), **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert loaded.returncode == 0, loaded.stderr


def database_login(installed: Installed, login: Credentials, schema: str | None = None) -> Any:  # noqa: ANN401  pymysql's
    return pymysql.connect(
        host=LOOPBACK,
        port=installed.mariadb.port,
        user=login.name,
        password=login.secret,
        database=schema,
        ssl={"ca": str(installed.authority.certificate)},
    )


def test_the_administrator_of_mariadb_may_do_what_the_operator_does(installed: Installed) -> None:
    server = DatabaseServer(LOOPBACK, installed.mariadb.port, installed.authority.certificate.read_text())
    admin = MariaDbAdmin(server, installed.login("mariadb-admin"))
    ident = naming.tenant_id(str(uuid.uuid4()))
    database, (name, _) = naming.database_name(ident), naming.database_users(ident)
    user = Credentials(name, uuid.uuid4().hex)
    assert admin.ensure_database(database)
    assert admin.ensure_user(user, database, 10)
    assert not admin.ensure_user(user, database, 10), "what was written is read back"
    assert admin.prove(user, database) > 0
    with pymysql.connect(unix_socket=str(installed.mariadb.socket), user="root") as root, root.cursor() as cursor:
        for statement in (
            f"GRANT SELECT ON *.* TO {name}",
            f"GRANT SELECT ON mysql.* TO {name}",
            f"CREATE USER {name}@localhost",
            f"CREATE USER other_{name}",
            f"GRANT ALL ON {database}.* TO other_{name} WITH GRANT OPTION",
            f"GRANT DELETE ON {naming.audit_database_name(ident)}.* TO {name}",
            f"ALTER DATABASE {database} CHARACTER SET latin1",
        ):
            cursor.execute(statement)
    assert admin.ensure_database(database)
    assert admin.ensure_user(user, database, 10), "what it could not have granted itself it takes back"
    assert not admin.ensure_user(user, database, 10)
    assert ident in admin.survey()
    assert admin.drop_users(database)
    assert admin.drop_database(database)
    assert not admin.database_exists(naming.audit_database_name(ident))
    admin.close()


def test_mariadb_is_hardened_and_its_accounts_apart(installed: Installed) -> None:
    with pytest.raises(pymysql.err.OperationalError):
        database_login(installed, Credentials("", ""))
    with (
        database_login(installed, installed.login("control-plane-database"), "vivero_control") as own,
        own.cursor() as cursor,
    ):
        cursor.execute("CREATE TABLE t (n INT)")
        cursor.execute("SHOW DATABASES")
        assert {row[0] for row in cursor.fetchall()} == {"information_schema", "vivero_control"}
    with database_login(installed, installed.login("mariadb-admin")) as admin, admin.cursor() as cursor:
        for statement in ("SELECT * FROM vivero_control.t", "DROP DATABASE vivero_control", "CREATE DATABASE other"):
            with pytest.raises(pymysql.err.OperationalError, match="denied"):
                cursor.execute(statement)


def test_the_users_of_valkey_may_do_what_the_programs_do(installed: Installed) -> None:
    authority = installed.authority.certificate.read_text()
    admin = ValkeyAdmin(CacheServer(LOOPBACK, installed.valkey.port, authority), installed.login("valkey-admin"))
    ident = naming.tenant_id(str(uuid.uuid4()))
    user = Credentials(naming.cache_user(ident), uuid.uuid4().hex)
    admin.ensure_user(user)
    assert admin.prove(user) > 0
    saved = (installed.valkey.socket.parent / "users.acl").read_text()
    assert f"user {user.name} on" in saved, "a restart of the server does not forget it"
    admin.close()


def cache_client(installed: Installed, secret: str | None = None) -> valkey.Valkey:
    """Logged in as this Secret says; without one as nobody."""
    login = installed.login(secret) if secret else None
    return valkey.Valkey(
        host=LOOPBACK,
        port=installed.valkey.port,
        username=login and login.name,
        password=login and login.secret,
        ssl=True,
        ssl_ca_certs=str(installed.authority.certificate),
    )


def test_the_control_plane_keeps_to_its_keys(installed: Installed) -> None:
    with cache_client(installed, "control-plane-cache") as client:
        assert client.set("control:x", "1")
        for refused in (
            ("SET", "vtabc:x", "1"),
            ("FLUSHALL",),
            ("ACL", "LIST"),
            ("KEYS", "*"),
            ("MOVE", "control:x", "1"),
            ("SUBSCRIBE", "vtabc:x"),
            ("INFO",),
        ):
            with pytest.raises(valkey.exceptions.NoPermissionError):
                client.execute_command(*refused)
    with pytest.raises(valkey.exceptions.AuthenticationError), cache_client(installed) as nameless:
        nameless.execute_command("PING")


def _transaction(client: valkey.Valkey, commands: int, value: bytes) -> None:
    """Sent and not executed."""
    client.execute_command("MULTI")
    for _ in range(commands):
        client.execute_command("SET", "control:many", value)


def test_one_users_value_or_transaction_does_not_fill_the_memory_of_all(installed: Installed) -> None:
    client = partial(cache_client, installed, "control-plane-cache")
    with client() as one, pytest.raises(valkey.exceptions.ConnectionError):
        one.set("control:large", b"x" * 2_000_000)
    with client() as one, pytest.raises(valkey.exceptions.ConnectionError):
        _transaction(one, 100, b"x" * 100_000)
    with client() as one, pytest.raises(valkey.exceptions.ResponseError):
        one.execute_command("SELECT", 1)
    with client() as one:
        assert one.get("control:large") is None


def test_a_second_time_changes_nothing(installed: Installed) -> None:
    kept = ("mariadb-admin", "control-plane-app", "control-plane-tls", "wildcard-tls")
    before = {name: installed.secret(name) for name in kept}
    installed.shell.run_all(shown("3", "4", "5", "6"))
    assert {name: installed.secret(name) for name in before} == before


def test_upgrade_and_uninstall_keep_what_the_guide_says(installed: Installed) -> None:
    kubectl = installed.cluster.kubectl
    installed.shell.run_all(shown("10"))
    (uninstall,), (erase, remove) = shown("11"), shown("12")
    installed.shell.run(uninstall)
    assert kubectl.get("crd", "tenants.vivero.dev") is not None
    assert {plan["metadata"]["name"] for plan in kubectl.list("plans")} == {
        "trial",
        "starter",
        "professional",
        "enterprise",
    }
    assert [server["metadata"]["name"] for server in kubectl.list("databaseservers")] == ["main"]
    assert kubectl.list("tenantpools") == []
    assert installed.secret("mariadb-admin")
    installed.shell.run_all(shown("6"))
    assert len(kubectl.list("deployments", NAMESPACE)) == 3, "installed again on what was kept"
    # No operator runs here, so none of these holds the finalizer that it puts on.
    for block in (erase, uninstall, remove):
        installed.shell.run(block)
    assert kubectl.get("crd", "tenants.vivero.dev") is None


def test_the_instances_of_every_kind_are_deleted_before_its_definition() -> None:
    """An API server that was never asked for a kind fails at its definition's first deletion (apiextensions-apiserver,
    `crd_finalizer.go`: "storage is (re)initializing"), and tries again when its informer resyncs, every five minutes.
    """
    erase, _ = shown("12")
    named = {name for line in erase.text.splitlines() for name in re.findall(r"kubectl delete ([a-z,]+) --all", line)}
    kinds = {yaml.safe_load(file.read_text())["spec"]["names"]["plural"] for file in DEFINITIONS.glob("*.yaml")}
    assert {name for names in named for name in names.split(",")} == kinds


def test_every_block_is_executed() -> None:
    executed = {block.line for block in [NAMES, *shown("3", "4", "5", "6", "10", "11", "12")]}
    executed |= {block.line for block in BLOCKS if block.info in {"sh running", "ini mariadb.cnf", "conf valkey.conf"}}
    assert [block for block in BLOCKS if block.line not in executed] == []
