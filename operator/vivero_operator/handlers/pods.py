"""Watch of tenants' pods: a start waits for them, and a pod that dies is reported.

Not through kopf: it lists a kind in one piece and keeps all of it until the last object is handled, which for the pods
of a thousand tenants is 60 MiB.
"""

from vivero_core.backends.kube.client import Change, KubeClient, Listing
from vivero_core.backends.kube.follow import follow
from vivero_core.backends.kube.resources import POD
from vivero_core.model.constants import LABEL_TENANT

from vivero_operator.policies import life
from vivero_operator.reconcile.context import HandlerContext
from vivero_operator.reconcile.controller import Key
from vivero_operator.reconcile.pods import Pod
from vivero_operator.reconcile.queue import Rank


async def watch(kube: KubeClient, context: HandlerContext) -> None:
    """For ever. A refusal is raised."""
    async for news in follow(kube, POD, Pod.parse, label_selector=LABEL_TENANT):
        take(context, news)


def take(context: HandlerContext, news: Listing[Pod] | Change[Pod]) -> None:
    if isinstance(news, Change):
        (forget if news.type == "DELETED" else observe)(context, news.object)
        return
    listed = {(pod.namespace, pod.name) for pod in news.items}
    for pod in context.cluster.all_pods():
        if (pod.namespace, pod.name) not in listed:
            forget(context, pod)
    for pod in news.items:
        observe(context, pod)
    context.pods_listed.set()


def _wake(context: HandlerContext, pod: Pod) -> None:
    tenant = context.cluster.tenant_of(pod.tenant_id)
    if tenant is not None:
        context.queue.add(Key("Tenant", tenant.name), Rank.ROUTINE if tenant.is_spare else Rank.FINISHING)


def observe(context: HandlerContext, pod: Pod) -> None:
    before = context.cluster.put_pod(pod)
    context.pods_changed(pod.tenant_id)
    if before is None and not (pod.running or pod.ready or pod.trouble):
        return  # it has only just been made
    # After a start there is an event for every pod; a ready pod of a settled tenant needs no reconcile.
    tenant = context.cluster.tenant_of(pod.tenant_id)
    expected = before is None and pod.ready and tenant is not None and life.settled(tenant)
    if (before is None or before.news != pod.news) and not expected:
        _wake(context, pod)


def forget(context: HandlerContext, pod: Pod) -> None:
    context.cluster.drop_pod(pod)
    context.pods_changed(pod.tenant_id)
    _wake(context, pod)
