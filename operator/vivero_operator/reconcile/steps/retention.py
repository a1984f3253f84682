"""deletionPolicy Retain: write down what a later Tenant needs to adopt the data, before anything is taken away."""

import base64

from vivero_core.backends.kube.resources import SECRET
from vivero_core.model import naming
from vivero_core.model.constants import Reason

from vivero_operator.manifests import retained
from vivero_operator.manifests import secrets as secret_manifests
from vivero_operator.policies.outcome import Outcome, done
from vivero_operator.reconcile.run import Run
from vivero_operator.reconcile.steps import secrets


async def record(run: Run) -> Outcome:
    """Once written it stays: on the next pass the namespace and its keys may be gone."""
    live = await secrets.read(run)
    server = secrets.server_from(live)
    app = live.get(secret_manifests.APP_KEYS)
    if not run.tenant.goes_with_its_data and app is not None and server is not None:
        file_key = base64.b64decode(app["data"]["file_key"]).decode()
        wanted = retained.build(
            run.instance, server, file_key, run.tenant.metadata.deletion_timestamp or run.services.now()
        )
        await run.ensure(wanted)
    names = f"schema {naming.database_name(run.instance.id)}, bucket {naming.bucket_name(run.instance.id)}"
    return done(Reason.RETAINED, names)


async def erase_record(run: Run) -> Outcome:
    """The data of an adopted tenant is destroyed: nothing is left to adopt."""
    if run.tenant.goes_with_its_data and run.record is not None:
        name, namespace = retained.name(run.instance.id), run.instance.settings.platform_namespace
        await run.remove(SECRET, name, namespace, belongs={})
    return done(Reason.ERASED)
