"""Reads and writes the records of tenants' keys, and the platform's keys that seal them."""

import asyncio
import base64
import binascii
import logging
from datetime import datetime
from typing import Any, Final

from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.errors import KubeAlreadyExistsError, KubeNotFoundError
from vivero_core.backends.kube.resources import SECRET
from vivero_core.errors import BackendError
from vivero_core.model import constants as c

from vivero_operator.escrow import record as records
from vivero_operator.escrow import sealing
from vivero_operator.escrow.record import Record
from vivero_operator.escrow.sealing import SealingKeys
from vivero_operator.instance import Instance, Keys, digest

logger = logging.getLogger(__name__)

KEYS_SECRET: Final = "escrow-keys"  # noqa: S105  a Secret's name
KEYS_SECONDS: Final = 20.0
"""Time between two looks at it: while this program has the keys, a deletion costs nothing; after its end, everything."""


class Vault:
    """One for the life of the program."""

    def __init__(self, kube: KubeClient, namespace: str) -> None:
        self._kube = kube
        self._namespace = namespace
        self._sealing: SealingKeys | None = None
        self._opening = asyncio.Lock()
        self._kept: dict[str, str] = {}
        """Digest of what the record of an id is known to say."""

    async def find(self, ident: str) -> Record | None:
        """The tenant's record; None when the API server says that there is none."""
        try:
            secret = await self._kube.get(SECRET, records.name(ident), self._namespace)
        except KubeNotFoundError:
            return None
        return self._read(await self._keys(), secret)

    async def all(self) -> list[Record]:
        sealing_keys = await self._keys()
        listing = await self._kube.list(SECRET, self._namespace, label_selector=c.LABEL_ESCROW)
        return [self._read(sealing_keys, item) for item in listing.items]

    def is_kept(self, instance: Instance, keys: Keys, server: str) -> bool:
        """Whether the record is known to say this, so that it need not be read."""
        return self._kept.get(instance.id) == _digest(instance, keys, server, None)

    async def keep(self, instance: Instance, keys: Keys, server: str, *, retained_at: datetime | None = None) -> bool:
        """Write the record unless it says the same; True when that took a write."""
        if self._kept.get(instance.id) == _digest(instance, keys, server, retained_at):
            return False
        present = await self.find(instance.id)
        uid = instance.tenant.metadata.uid
        same = present is not None and present.covers(keys, server, uid, retained=retained_at is not None)
        if not same:
            sealing_keys = await self._keys()
            sealed = sealing.seal(sealing_keys, instance.id, keys)
            manifest = records.build(instance, server, sealed=sealed, key=sealing_keys.current, retained_at=retained_at)
            await self._kube.apply(manifest)
        self._kept[instance.id] = _digest(instance, keys, server, retained_at)
        return not same

    async def take_over(self, record: Record, uid: str) -> None:
        """The record is this Tenant's from now on; a conflict when another one was quicker."""
        meta = {"resourceVersion": record.version, "annotations": {c.ANNOTATION_TENANT_UID: uid}}
        await self._kube.patch(SECRET, records.name(record.id), {"metadata": meta}, self._namespace)
        self.forget(record.id)

    async def erase(self, ident: str) -> None:
        self.forget(ident)
        try:
            secret = await self._kube.get(SECRET, records.name(ident), self._namespace)
            await self._kube.delete(SECRET, records.name(ident), self._namespace, uid=secret["metadata"]["uid"])
        except KubeNotFoundError:
            return

    def forget(self, ident: str) -> None:
        """The record may have been changed."""
        self._kept.pop(ident, None)

    def _read(self, sealing_keys: SealingKeys, secret: dict[str, Any]) -> Record:
        key, sealed = records.sealed_in(secret)
        ident = secret["metadata"]["name"].removeprefix(records.name(""))
        return records.parse(secret, sealing.unseal(sealing_keys, key, ident, sealed))

    async def _keys(self) -> SealingKeys:
        """The platform's keys, read once. A Secret that was deleted since is no reason to forget them."""
        async with self._opening:
            if self._sealing is None:
                self._sealing = await self._stored() or await self._made()
            return self._sealing

    async def look_after_keys(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.ensure_keys()
            except BackendError as error:
                logger.warning("Secret %s is not looked after: %s", KEYS_SECRET, error)
            await asyncio.sleep(KEYS_SECONDS)

    async def ensure_keys(self) -> None:
        """Put the Secret with the sealing keys back if somebody deleted or changed it while this program had them."""
        known = await self._keys()
        stored = await self._stored()
        if stored is None:
            await self._kube.create(_manifest(known, self._namespace))
            logger.warning("Secret %s was gone and is written again", KEYS_SECRET)
        elif not known.keys.items() <= stored.keys.items():
            body = _manifest(known, self._namespace)
            await self._kube.patch(SECRET, KEYS_SECRET, {"data": body["data"]}, self._namespace)
            logger.warning("Secret %s lacked keys and is written again", KEYS_SECRET)
        else:
            # A person may bring back an older key, which opens older records.
            self._sealing = SealingKeys(known.current, stored.keys)

    async def _stored(self) -> SealingKeys | None:
        try:
            secret = await self._kube.get(SECRET, KEYS_SECRET, self._namespace)
        except KubeNotFoundError:
            return None
        keys = {sealing.key_id(key): key for key in _decoded(secret)}
        current = secret["metadata"].get("annotations", {}).get(c.ANNOTATION_ESCROW_KEY, "")
        if not keys:
            return None
        return SealingKeys(current if current in keys else min(keys), keys)

    async def _made(self) -> SealingKeys:
        made = SealingKeys.generated()
        try:
            await self._kube.create(_manifest(made, self._namespace))
        except KubeAlreadyExistsError:
            # It is there, and holds no usable key.
            await self._kube.patch(SECRET, KEYS_SECRET, _patch(made, self._namespace), self._namespace)
        return made


def _decoded(secret: dict[str, Any]) -> list[bytes]:
    found = []
    for value in secret.get("data", {}).values():
        try:
            key = base64.b64decode(value, validate=True)
        except binascii.Error:
            continue
        if len(key) == sealing.KEY_BYTES:
            found.append(key)
    return found


def _manifest(keys: SealingKeys, namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": KEYS_SECRET,
            "namespace": namespace,
            "labels": {c.LABEL_PART_OF: "vivero", c.LABEL_MANAGED_BY: c.FIELD_MANAGER},
            "annotations": {c.ANNOTATION_ESCROW_KEY: keys.current},
        },
        "type": "vivero.dev/escrow-keys",
        "data": {name: base64.b64encode(key).decode() for name, key in keys.keys.items()},
    }


def _patch(keys: SealingKeys, namespace: str) -> dict[str, Any]:
    whole = _manifest(keys, namespace)
    return {"metadata": {"annotations": whole["metadata"]["annotations"]}, "data": whole["data"]}


def _digest(instance: Instance, keys: Keys, server: str, retained_at: datetime | None) -> str:
    return digest([instance.tenant.metadata.uid, keys.dump(), server, retained_at is not None])
