"""docs/self-hosting.md, executed word for word with real pods, and the workspace it makes used through the ingress."""

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pymysql
import pytest
from integration.conftest import to_its_end
from support.guide import Shell, blocks
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.s3.client import VersityStorageAdmin
from vivero_core.model import naming
from vivero_dev.certificates import Authority
from vivero_dev.debian import extracted
from vivero_dev.instance import cache_root
from vivero_dev.localhost import local_client
from vivero_dev.native.services.valkey import PACKAGE
from vivero_dev.native.tools import program
from vivero_dev.platform.backing import CLUSTER_PORTS, backing_host
from vivero_dev.platform.kubectl import Kubectl
from vivero_dev.platform.names import PLATFORM
from vivero_dev.probing import until

ROOT = Path(__file__).parents[3]
BLOCKS = [block for block in blocks(ROOT / "docs/self-hosting.md") if block.info == "sh"]
NAMES, STEPS, UNINSTALL = BLOCKS[0], BLOCKS[1:-1], BLOCKS[-1]
# The ingress needs a moment to learn a new route.
PAGE_SECONDS = 60.0

Json = dict[str, Any]


def tenants_image(kubectl: Kubectl) -> tuple[str, str]:
    """Repository and tag of the image that the platform's own tenants run."""
    deployment = kubectl.get("deployment", "vivero-operator", PLATFORM)
    assert deployment is not None
    variables = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    reference = next(entry["value"] for entry in variables if entry["name"] == "VIVERO_DATA_PLANE_IMAGE")
    repository, _, tag = str(reference).rpartition(":")
    return repository, tag


def clients(folder: Path, platform: Json, address: str) -> dict[str, str]:
    """How a person on this machine reaches MariaDB and Valkey as their administrators; passwords in no argument."""
    database, cache = platform["mariadb"], urlsplit(platform["valkey"]["url"])
    options = folder / "mariadb-admin.cnf"
    options.write_text(
        f"[client]\nhost={database['host']}\nport={database['port']}\nuser={database['admin_user']}\n"
        f"password={database['admin_password']}\nssl-ca={database['ca']}\nssl-verify-server-cert\n"
    )
    command = (
        f"valkey-cli --tls --cacert {platform['ca']} -h {cache.hostname} -p {cache.port} --user {cache.username} -e"
    )
    return {
        "MARIADB": f"mariadb --defaults-file={options}",
        "VALKEY": f"{command} --no-auth-warning",
        "REDISCLI_AUTH": cache.password or "",
        "MARIADB_HOST": backing_host("mariadb"),
        "VALKEY_HOST": backing_host("valkey"),
        "S3_ENDPOINT": f"https://{backing_host('s3')}:{CLUSTER_PORTS['s3']}",
        "S3_REGION": "us-east-1",
        "PUBLIC_URL": address,
    }


class Workspace:
    """What the guide made."""

    def __init__(self, shell: Shell, kubectl: Kubectl, name: str, address: str, authority: Authority) -> None:
        self.shell = shell
        self.kubectl = kubectl
        self.name = name
        self.address = address
        self.authority = authority

    def login_problem(self) -> str | None:
        password = (self.shell.folder / "owner-password").read_text().strip()
        with local_client(self.authority.certificate) as client:
            answer = client.post(
                f"{self.address}/api/v1/auth/login", json={"email": "you@example.com", "password": password}
            )
        return (
            None if answer.status_code == httpx.codes.OK else f"login answers {answer.status_code}: {answer.text[:300]}"
        )

    def deployment(self) -> Json:
        found = self.kubectl.get("deployment", self.name, self.name)
        assert found is not None
        return found


@pytest.fixture(scope="module")
def workspace(
    platform: Json, helm: Path, storage_admin: VersityStorageAdmin, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workspace]:
    folder = tmp_path_factory.mktemp("self-hosting")
    name = f"self{uuid.uuid4().hex[:8]}"
    public = urlsplit(platform["control_plane_url"])
    host = f"{name}.self-hosted.localhost"
    address = f"https://{host}:{public.port}"
    kubectl = Kubectl(program(cache_root(), "kubectl"), Path(platform["kubeconfig"]))
    authority = Authority(folder / "authority")
    account = Credentials(naming.bucket_name(naming.tenant_id(str(uuid.uuid4()))), uuid.uuid4().hex)
    prepare(folder, authority, host, account, Path(platform["ca"]))
    repository, tag = tenants_image(kubectl)
    path = [helm.parent, kubectl.program.parent, extracted(cache_root(), PACKAGE) / "usr/bin", os.environ["PATH"]]
    shell = Shell(
        NAMES,
        folder,
        {
            **clients(folder, platform, address),
            "PATH": ":".join(map(str, path)),
            "KUBECONFIG": platform["kubeconfig"],
            "NAMESPACE": name,
            "RELEASE": name,
            "HOST": host,
            "INGRESS_CLASS": "contour",
            "IMAGE": repository,
            "VERSION": tag,
            "DATABASE": name,
            "VALKEY_USER": name,
            "BUCKET": account.name,
        },
    )
    with ExitStack() as erasure:
        erasure.callback(erase, shell, kubectl, name, account, storage_admin)
        storage_admin.ensure_account(account)
        storage_admin.ensure_bucket(account.name, account.name)
        shell.run_all(STEPS)
        yield Workspace(shell, kubectl, name, address, authority)


def prepare(folder: Path, authority: Authority, host: str, account: Credentials, services: Path) -> None:
    """The files that the guide asks for."""
    (folder / "charts").symlink_to(ROOT / "charts")
    pair = authority.issue("workspace", [host])
    for name, text in (
        ("ca.crt", services.read_text()),
        ("tls.crt", pair.certificate.read_text()),
        ("tls.key", pair.key.read_text()),
        ("access-key", account.name),
        ("secret-key", account.secret),
        ("registry.json", json.dumps({"auths": {"registry.example.com": {"auth": "dXNlcjpwYXNz"}}})),
    ):
        (folder / name).write_text(text)


def erase(shell: Shell, kubectl: Kubectl, name: str, account: Credentials, storage: VersityStorageAdmin) -> None:
    kubectl.run("delete", "namespace", name, "--ignore-not-found", "--wait=false")
    variables = {"NAME": name, **shell.environment}
    cleanup = Shell(NAMES, shell.folder, variables)
    schemas = "DROP DATABASE IF EXISTS $NAME; DROP DATABASE IF EXISTS ${NAME}audit"
    erased = f'$MARIADB --execute="{schemas}; DROP USER IF EXISTS $NAME"\n'
    erased += '$VALKEY ACL DELUSER "$NAME"\n$VALKEY ACL SAVE\n'
    cleanup.run(type(NAMES)("sh", erased, "clean-up of the test", 0))
    storage.delete_account(account.name)
    to_its_end(storage.delete_bucket, account.name)


def test_the_owner_logs_in_through_the_ingress(workspace: Workspace) -> None:
    until("login", workspace.login_problem, PAGE_SECONDS)


def test_its_own_login_adds_to_the_audit_log_and_cannot_rewrite_it(workspace: Workspace, platform: Json) -> None:
    database, log = platform["mariadb"], f"{workspace.name}audit.audit_log"
    login: Json = {"user": workspace.name, "password": (workspace.shell.folder / "database-password").read_text()}
    address: Json = {"host": database["host"], "port": int(database["port"]), "ssl": {"ca": database["ca"]}}
    with pymysql.connect(**login, **address) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT action FROM {log} ORDER BY id LIMIT 1")  # noqa: S608  a name of our making
        assert cursor.fetchall() == (("user.create",),)
        with pytest.raises(pymysql.OperationalError, match="1142"):
            cursor.execute(f"DELETE FROM {log}")  # noqa: S608  as above


def test_the_log_and_readyz_are_there_to_be_read(workspace: Workspace) -> None:
    said = workspace.shell.run(next(block for block in BLOCKS if block.section.startswith("When it does not")))
    assert f"pod/{workspace.name}-" in said


def test_it_runs_as_any_user_that_the_cluster_chooses(workspace: Workspace) -> None:
    """As OpenShift does: a large user and group of files, group 0, nothing of the image's own."""
    chosen = {"runAsUser": 1_000_660_000, "runAsGroup": 0, "fsGroup": 1_000_660_000}
    (workspace.shell.folder / "chosen.yaml").write_text(json.dumps({"podSecurityContext": chosen}))
    install = next(block for block in BLOCKS if block.section.startswith("5."))
    text = install.text.replace("--values workspace.yaml", "--values workspace.yaml --values chosen.yaml")
    workspace.shell.run(type(install)(install.info, text, install.section, install.line))
    assert workspace.deployment()["spec"]["template"]["spec"]["securityContext"].items() >= chosen.items()
    until("login", workspace.login_problem, PAGE_SECONDS)


def test_uninstalled_and_installed_again_it_goes_on(workspace: Workspace) -> None:
    workspace.shell.run(UNINSTALL)
    assert workspace.kubectl.get("deployment", workspace.name, workspace.name) is None
    workspace.shell.run_all(STEPS)
    until("login", workspace.login_problem, PAGE_SECONDS)
