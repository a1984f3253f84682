"""Valkey from the distribution or its backports as a process of its own user."""

import os
from pathlib import Path

from vivero_dev.backing import valkey
from vivero_dev.debian import extracted
from vivero_dev.native.services.base import FIRST_UID, VIEW, ServiceHost
from vivero_dev.processes import ProcessSpec, User
from vivero_dev.steps import Say

NAME = "valkey"
USER = User(FIRST_UID + 2, FIRST_UID + 2)
READY_SECONDS = 20.0
# One multi-call binary that includes the server; this package creates no account and starts no service.
PACKAGE = "valkey-tools"
PROGRAM = "usr/bin/valkey-check-rdb"


def ensure_valkey(host: ServiceHost, say: Say) -> str:
    program = extracted(host.instance.cache_dir, PACKAGE) / PROGRAM
    folder = host.certified_folder(NAME, USER, "data")
    reachable, account = host.reachable, host.accounts.valkey_admin
    configuration = valkey.configuration(
        folder=str(VIEW), data=f"{VIEW}/data", port=reachable.valkey_port, addresses=host.addresses
    )
    (folder / "valkey.conf").write_text(configuration)
    _ensure_acl_file(host, folder / "data" / "users.acl")
    (folder / "valkey-server").touch()
    say("starting")
    host.processes.ensure(
        ProcessSpec(
            NAME,
            [f"{VIEW}/valkey-server", f"{VIEW}/valkey.conf"],
            user=USER,
            binds=[(folder, VIEW), (program, VIEW / "valkey-server")],
            revision=configuration + host.certificate().certificate.read_text(),
            ready=lambda: valkey.health(reachable.valkey_port, account, host.authority.certificate).ok,
            deadline=READY_SECONDS,
        )
    )
    return f"127.0.0.1:{reachable.valkey_port}"


def _ensure_acl_file(host: ServiceHost, file: Path) -> None:
    if file.exists():
        return
    draft = file.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(valkey.acl_file(host.accounts))
    os.chown(draft, USER.uid, USER.gid)
    draft.replace(file)
