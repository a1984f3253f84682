"""versitygw as a process of its own user."""

from vivero_dev.backing import object_store
from vivero_dev.native.services.base import FIRST_UID, VIEW, ServiceHost
from vivero_dev.native.tools import program
from vivero_dev.processes import ProcessSpec, User
from vivero_dev.steps import Say

NAME = "s3"
USER = User(FIRST_UID + 3, FIRST_UID + 3)
READY_SECONDS = 20.0


def ensure_object_store(host: ServiceHost, say: Say) -> str:
    folder = host.own_folder(NAME, USER, "data", "iam", "versions")
    (folder / "versitygw").touch()
    account, endpoint = host.accounts.s3_admin, host.reachable.s3_endpoint
    port = host.instance.ports["s3"]
    listen = [f"{address}:{port}" for address in host.addresses]
    say("starting")
    host.processes.ensure(
        ProcessSpec(
            NAME,
            [f"{VIEW}/versitygw", *object_store.arguments(str(VIEW), listen)],
            environment=object_store.environment(account),
            user=USER,
            binds=[(folder, VIEW), (program(host.instance.cache_dir, "versitygw"), VIEW / "versitygw")],
            revision=host.certificate().certificate.read_text(),
            ready=lambda: object_store.health(endpoint, account, host.authority.certificate).ok,
            deadline=READY_SECONDS,
        )
    )
    return endpoint
