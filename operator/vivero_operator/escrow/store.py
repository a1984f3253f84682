"""Reads and writes the escrow records of tenants' keys, and the platform's keys that encrypt them."""

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
from vivero_operator.instance import Instance, TenantKeys, digest

logger = logging.getLogger(__name__)

KEYS_SECRET: Final = "escrow-keys"  # noqa: S105  a Secret's name
KEYS_SECONDS: Final = 20.0
"""Interval of checks: as long as this process has the keys in memory, a deleted Secret can be restored."""


class EscrowStore:
    """The store of escrow records, one for the process."""

    def __init__(self, kube: KubeClient, namespace: str) -> None:
        self._kube = kube
        self._namespace = namespace
        self._sealing: SealingKeys | None = None
        self._loading = asyncio.Lock()
        self._saved: dict[str, str] = {}
        """Digest of the last known content of a record, by id."""

    async def find(self, ident: str) -> Record | None:
        """The tenant's record; None if there is none."""
        try:
            secret = await self._kube.get(SECRET, records.name(ident), self._namespace)
        except KubeNotFoundError:
            return None
        return self._read(await self._keys(), secret)

    async def all(self) -> list[Record]:
        sealing_keys = await self._keys()
        listing = await self._kube.list(SECRET, self._namespace, label_selector=c.LABEL_ESCROW)
        return [self._read(sealing_keys, item) for item in listing.items]

    def is_saved(self, instance: Instance, keys: TenantKeys, server: str) -> bool:
        """Whether the record is known to have this content, so that it need not be read."""
        return self._saved.get(instance.id) == _digest(instance, keys, server)

    async def save(  # noqa: PLR0913  what is written, by name
        self,
        instance: Instance,
        keys: TenantKeys,
        server: str,
        *,
        retained_at: datetime | None = None,
        erase_at: datetime | None = None,
        restore: str | None = None,
    ) -> bool:
        """Write the record unless its content is the same; returns whether it was written."""
        known = _digest(instance, keys, server, retained_at, erase_at, restore)
        if self._saved.get(instance.id) == known:
            return False
        present = await self.find(instance.id)
        retained = retained_at is not None
        same = present is not None and present.covers(
            instance, keys, server, retained=retained, erase_at=erase_at, restore=restore
        )
        if not same:
            sealing_keys = await self._keys()
            sealed = sealing.seal(sealing_keys, instance.id, keys)
            manifest = records.build(
                instance,
                server,
                sealed=sealed,
                key=sealing_keys.current,
                retained_at=retained_at,
                erase_at=erase_at,
                restore=restore,
            )
            await self._kube.apply(manifest)
        self._saved[instance.id] = known
        return not same

    async def take_over(self, record: Record, uid: str) -> None:
        """Make this Tenant the record's owner; raises a conflict if another one, or an erasure, was faster."""
        await self._annotate(
            record, {c.ANNOTATION_TENANT_UID: uid, **dict.fromkeys((c.ANNOTATION_ERASE_AT, c.ANNOTATION_RESTORE))}
        )

    async def claim(self, record: Record, uid: str) -> None:
        """Leave the record to this TenantErasure, or TenantRestore; raises a conflict if a Tenant took the data over meanwhile."""
        if record.erasing != uid:
            await self._annotate(record, {c.ANNOTATION_ERASING: uid})

    async def _annotate(self, record: Record, annotations: dict[str, str | None]) -> None:
        meta = {"resourceVersion": record.version, "annotations": annotations}
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
        """Invalidate the cached digest: the record may have changed."""
        self._saved.pop(ident, None)

    def _read(self, sealing_keys: SealingKeys, secret: dict[str, Any]) -> Record:
        key, sealed = records.sealed_in(secret)
        ident = secret["metadata"]["name"].removeprefix(records.name(""))
        return records.parse(secret, sealing.unseal(sealing_keys, key, ident, sealed))

    async def sealing_keys(self) -> SealingKeys:
        """The platform's keys, for a second copy of them."""
        return await self._keys()

    async def _keys(self) -> SealingKeys:
        """The platform's keys, read once, and kept even if the Secret is deleted."""
        async with self._loading:
            if self._sealing is None:
                self._sealing = await self._load_keys() or await self._create_keys()
            return self._sealing

    async def maintain_keys(self) -> None:
        """Check the Secret periodically until cancelled."""
        while True:
            try:
                await self.ensure_keys()
            except BackendError as error:
                logger.warning("checking Secret %s failed: %s", KEYS_SECRET, error)
            await asyncio.sleep(KEYS_SECONDS)

    async def ensure_keys(self) -> None:
        """Restore the Secret with the sealing keys if it was deleted or changed.

        A person may add an older key, to read older records, and select the current key by the annotation.
        """
        known = await self._keys()
        stored = await self._load_keys(known.current)
        if stored is None or not known.keys.items() <= stored.keys.items():
            await self._write(known)
            logger.warning("Secret %s lacked keys and was restored", KEYS_SECRET)
        else:
            self._sealing = stored

    async def _load_keys(self, otherwise: str = "") -> SealingKeys | None:
        """None if the Secret is missing or has no usable key; `otherwise` is the current key without an annotation."""
        try:
            secret = await self._kube.get(SECRET, KEYS_SECRET, self._namespace)
        except KubeNotFoundError:
            return None
        keys = {sealing.key_id(key): key for key in _decoded(secret)}
        if not keys:
            return None
        named = secret["metadata"].get("annotations", {}).get(c.ANNOTATION_ESCROW_KEY, "")
        return SealingKeys(next((one for one in (named, otherwise) if one in keys), min(keys)), keys)

    async def _create_keys(self) -> SealingKeys:
        made = SealingKeys.generated()
        await self._write(made)
        # Another replica may have been faster: its key is needed for its records.
        return await self._load_keys(made.current) or made

    async def _write(self, keys: SealingKeys) -> None:
        """Create the Secret, or add to an existing one."""
        body = keys_manifest(keys, self._namespace)
        try:
            await self._kube.create(body)
        except KubeAlreadyExistsError:
            patch = {"metadata": {"annotations": body["metadata"]["annotations"]}, "data": body["data"]}
            await self._kube.patch(SECRET, KEYS_SECRET, patch, self._namespace)


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


def keys_manifest(keys: SealingKeys, namespace: str) -> dict[str, Any]:
    """The Secret that holds them."""
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


def _digest(  # noqa: PLR0913, PLR0917  as `save`
    instance: Instance,
    keys: TenantKeys,
    server: str,
    retained_at: datetime | None = None,
    erase_at: datetime | None = None,
    restore: str | None = None,
) -> str:
    return digest([instance.tenant.metadata.uid, keys.dump(), server, retained_at is not None, erase_at, restore])
