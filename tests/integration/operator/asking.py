"""Asks the API server what an account may do: every verb on every resource that is served, in every kind of place."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from integration.operator.accounts import Account
from vivero_core.backends.kube.client import KubeClient

AT_ONCE: Final = 30
# Verbs that no request has and that are worth more than most that do.
_SPECIAL: Final = {
    "/users": ("impersonate",),
    "/groups": ("impersonate",),
    "/serviceaccounts": ("impersonate",),
    "rbac.authorization.k8s.io/roles": ("bind", "escalate"),
    "rbac.authorization.k8s.io/clusterroles": ("bind", "escalate"),
    "certificates.k8s.io/signers": ("approve", "sign"),
}

Rights = Mapping[str, str]
"""group/resource[/subresource] -> verbs, separated by spaces."""


@dataclass(frozen=True)
class Question:
    """May it do this there; `namespace` is empty for what lies in none, and for all namespaces at once."""

    resource: str
    verb: str
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        """For people."""
        return f"{self.verb} {self.resource} {self.name} in {self.namespace or 'the cluster'}"


async def served(kube: KubeClient) -> dict[str, tuple[str, ...]]:
    """group/resource[/subresource] of everything that the API server knows, with the verbs that it takes there."""
    groups = (await _get(kube, "/apis"))["groups"]
    places = {"": "/api/v1"} | {one["name"]: f"/apis/{one['preferredVersion']['groupVersion']}" for one in groups}
    found: dict[str, tuple[str, ...]] = {}
    for group, path in places.items():
        for one in (await _get(kube, path))["resources"]:
            found[f"{group}/{one['name']}"] = tuple(one["verbs"])
    for resource, verbs in _SPECIAL.items():
        found[resource] = (*found.get(resource, ()), *verbs)
    return found


async def _get(kube: KubeClient, path: str) -> Any:  # noqa: ANN401  any JSON
    return await kube._request("GET", path)  # noqa: SLF001  discovery is no one else's business


async def may(kube: KubeClient, account: Account, question: Question) -> bool:
    group, _, rest = question.resource.partition("/")
    resource, _, subresource = rest.partition("/")
    attributes = {
        "namespace": question.namespace,
        "verb": question.verb,
        "group": group,
        "resource": resource,
        "subresource": subresource,
        "name": question.name,
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": account.user, "groups": account.groups, "resourceAttributes": attributes},
    }
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    answer = await kube._request("POST", path, review)  # noqa: SLF001  no one else asks for others
    return bool(answer["status"].get("allowed"))


async def allowed(kube: KubeClient, account: Account, questions: Iterable[Question]) -> set[Question]:
    """Those that are answered with yes."""
    turns, yes = asyncio.Semaphore(AT_ONCE), set[Question]()

    async def ask(question: Question) -> None:
        async with turns:
            if await may(kube, account, question):
                yes.add(question)

    async with asyncio.TaskGroup() as group:
        for question in questions:
            group.create_task(ask(question))
    return yes


def questions(rights: Rights, namespace: str) -> set[Question]:
    return {Question(resource, verb, namespace) for resource, verbs in rights.items() for verb in verbs.split()}
