"""docs/runbooks/restore.md, each block word for word: a second is looked at, brought back beside, put in place, undone."""

import json
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from e2e.cluster import REPOSITORY, Kubectl, Sql, status_of
from e2e.owned import OwnedTenant
from e2e.recovery.contents import Note, Notebook
from support.guide import Block, Shell, blocks
from vivero_core.model import naming
from vivero_dev.instance import Instance
from vivero_dev.localhost import local_client
from vivero_dev.providers import provider_for

THEN = ["first 🌱", "second"]
NOW = ["second", "third"]


@dataclass
class Mistake:
    """A workspace in which a record was deleted and another one made since the second `moment`."""

    kubectl: Kubectl
    sql: Sql
    owned: OwnedTenant
    workspace: httpx.Client
    authority: Path
    name: str
    moment: datetime
    notes: Notebook
    kept: Note
    deleted: Note
    """While the second is looked at."""

    def kubectl_json(self, *arguments: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.kubectl("get", *arguments, "-o", "json"))
        return found

    def pods(self) -> set[str]:
        return set(self.kubectl("get", "pods", "-n", self.owned.namespace, "-o", "name").split())

    def row(self, restore: str) -> list[str]:
        header, row = self.kubectl("get", "vrs", restore).splitlines()
        assert header.split() == ["NAME", "TENANT", "INTO", "COMPLETE", "REASON", "STATUS", "RESTORED-TO", "AGE"]
        return row.split()


@pytest.fixture
def mistake(
    kubectl: Kubectl, sql: Sql, owned: OwnedTenant, workspace: httpx.Client, platform: dict[str, Any]
) -> Mistake:
    name = f"runbook-{secrets.token_hex(3)}"
    kubectl("wait", "--for=condition=Recoverable", "vdb/main", "--timeout=80s")
    notes = Notebook(workspace, owned.login, name)
    files = Note(owned), Note(owned)
    notes.make(name)
    first = notes.add(THEN[0])
    notes.add(THEN[1])
    time.sleep(2)
    moment = datetime.now(UTC).replace(microsecond=0)
    time.sleep(1)
    notes.remove(first)
    notes.add(NOW[1])
    return Mistake(kubectl, sql, owned, workspace, Path(platform["ca"]), name, moment, notes, *files)


def test_each_block(mistake: Mistake, instance: Instance, platform: dict[str, Any], tmp_path: Path) -> None:
    found = blocks(REPOSITORY / "docs/runbooks/restore.md")
    names, check, look, close, beside, remove, in_place, undo = found
    assert [block.info for block in found] == ["sh"] * 8
    program = provider_for(instance, "auto").kubectl().program
    called = {"LOOK": f"{mistake.name}-look", "COPY": mistake.name, "BACK": f"{mistake.name}-back"}
    shell = Shell(
        names,
        tmp_path,
        {
            "PATH": f"{program.parent}:{os.environ['PATH']}",
            "KUBECONFIG": platform["kubeconfig"],
            "TENANT": mistake.owned.name,
            "TIME": f"{mistake.moment:%Y-%m-%dT%H:%M:%SZ}",
            **called,
        },
    )

    def by(block: Block) -> Callable[[], str]:
        return lambda: shell.run(block)

    shell.run(check)
    _look(mistake, called["LOOK"], by(look), by(close))
    _bring_back_beside(mistake, called["COPY"], by(beside), by(remove))
    _put_in_place(mistake, called["BACK"], by(in_place), by(undo))


def _look(mistake: Mistake, name: str, look: Callable[[], str], close: Callable[[], str]) -> None:
    owned, sql, notes, file = mistake.owned, mistake.sql, mistake.notes, mistake.deleted
    spec, pods, ident = mistake.kubectl_json("vt", owned.name)["spec"], mistake.pods(), owned.id

    said = look()

    status = status_of(mistake.kubectl, "vrs", name)
    url, own = status["url"], f"as-of-{naming.tenant_id(mistake.kubectl_json('vrs', name)['metadata']['uid'])}"
    assert url in said
    assert url.startswith(f"https://{own}.")
    assert datetime.fromisoformat(status["expiresAt"]) - datetime.now(UTC) > timedelta(hours=23)
    assert mistake.row(name)[:6] == [name, owned.name, "as", "of", "True", "Restored"]
    with local_client(mistake.authority) as client:
        client.headers["Connection"] = "close"
        then = Notebook(client, owned.login, mistake.name, url)
        assert then.texts() == THEN
        file.delete()
        found = client.get(f"{url}/api/v1/files/{file.id}", headers=then.headers)
        assert found.raise_for_status().content == file.content, "not that of the live workspace"
        refused = client.post(
            f"{url}/api/v1/collections/{mistake.name}/records",
            json={"values": {"Text": "fourth"}},
            headers=then.headers,
        )
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:vivero:problem:read-only")
        moment = mistake.moment
        assert f"as of {moment:%Y-%m-%d %H:%M:%S} (UTC)" in refused.json()["detail"]
        page = client.get(f"{url}/login", headers={"accept": "text/html"}).text
        assert f"As of {moment.day} {moment:%b %Y, %H:%M:%S} UTC, read only" in page
        # Neither lets in whom the other has let in.
        assert client.get(f"{url}/api/v1/me", headers=notes.headers).status_code == 401
        assert mistake.workspace.get("/api/v1/me", headers=then.headers).status_code == 401
    assert notes.texts() == NOW, "the live one is as it was"
    grants = [line for (line,) in sql(f"SHOW GRANTS FOR 'vt{ident}v'@'%'")]
    assert sorted(one.split(" TO ")[0] for one in grants if " ON `" in one) == [
        f"GRANT SELECT ON `vt{ident}asof`.*",
        f"GRANT SELECT ON `vt{ident}asofaudit`.*",
    ]
    assert pods <= mistake.pods(), "nothing was started again"

    close()

    with pytest.raises(AssertionError, match="not found"):
        mistake.kubectl("get", "vrs", name)
    assert not sql(f"SHOW DATABASES LIKE 'vt{ident}asof%'")
    assert (f"vt{ident}v",) not in sql("SELECT User FROM mysql.global_priv")
    for kind in ("deployment", "service", "secret", "ingress"):
        mistake.kubectl("wait", "--for=delete", f"{kind}/{own}", "-n", owned.namespace, "--timeout=60s")
    assert mistake.kubectl_json("vt", owned.name)["spec"] == spec
    assert notes.texts() == NOW


def _bring_back_beside(mistake: Mistake, name: str, beside: Callable[[], str], remove: Callable[[], str]) -> None:
    said = beside()

    status = status_of(mistake.kubectl, "vrs", name)
    assert [one["name"] for one in status["steps"]] == ["log", "database", "files", "verify"]
    assert datetime.fromisoformat(status["restoredTo"]) == mistake.moment
    url = status_of(mistake.kubectl, "vt", name)["url"]
    assert url in said
    with local_client(mistake.authority) as client:
        assert Notebook(client, mistake.owned.login, mistake.name, url).texts() == THEN
    assert mistake.notes.texts() == NOW, "the live one is as it was"

    remove()

    with pytest.raises(AssertionError, match="not found"):
        mistake.kubectl("get", "vt", name)


def _put_in_place(mistake: Mistake, name: str, in_place: Callable[[], str], undo: Callable[[], str]) -> None:
    workspace, owned, ident = mistake.workspace, mistake.owned, mistake.owned.id
    pods = mistake.pods()

    said = in_place()

    assert "in place" in said
    assert mistake.row(name)[:6] == [name, owned.name, "in", "place", "True", "Restored"]
    assert not pods & mistake.pods()
    back = Notebook(workspace, owned.login, mistake.name)
    assert back.texts() == THEN
    assert mistake.kept.get().raise_for_status().content == mistake.kept.content
    told = workspace.get("/api/v1/audit", headers=back.headers).raise_for_status().json()["items"]
    assert [one["subject"] for one in told if one["action"] == "workspace.restore"][:1] == [name]
    deleted = [one for one in told if one["action"] == "record.delete" and one["subject"].startswith(mistake.name)]
    assert len(deleted) == 1, "the audit log is not turned back"
    assert {schema for (schema,) in mistake.sql(f"SHOW DATABASES LIKE 'vt{ident}%'")} == {
        f"vt{ident}{part}" for part in ("", "audit", "last")
    }
    back.add("fourth")

    undo()

    assert Notebook(workspace, owned.login, mistake.name).texts() == NOW
    mistake.kubectl("wait", "--for=condition=Ready", f"vt/{owned.name}", "--timeout=60s")
