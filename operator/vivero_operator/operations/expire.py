"""The program that removes what has expired of a tenant's archive: backups, then the log's beginning, then copies of files.

Unfinished uploads go first: whoever was killed in the midst of one began it, for nobody writes there meanwhile.

Whoever is killed between any two deletions leaves an archive whose every backup is whole, and whose log says where it
begins: a manifest is deleted before what it names, and the log's new beginning is written before what was before it is
deleted. A second run ends where an undisturbed one does. Neither a backup nor a restore of the tenant runs meanwhile.
"""

import logging
from collections.abc import Mapping
from typing import Any, Final

from vivero_operator.archiver.chain import TrimmedChain
from vivero_operator.operations.archive import Archive, backup_store, backups, expired_backups, ready_at
from vivero_operator.operations.errors import DamagedError, RefusedError
from vivero_operator.operations.history import Base, History
from vivero_operator.operations.object_store import ObjectStore, StoredObject, end_uploads
from vivero_operator.operations.orders import ORDER_FILE, ExpiryOrder
from vivero_operator.operations.program import Files, Step, main
from vivero_operator.operations.runner import Said

logger = logging.getLogger(__name__)


class Expiry:
    """Of one tenant."""

    def __init__(self, store: ObjectStore, order: ExpiryOrder) -> None:
        self._store = store
        self._order = order
        self._files_held_from = order.window_begins if order.server is not None else None

    def run(self) -> Said:
        """Remove all of it."""
        order = self._order
        end_uploads(self._store, f"{order.tenant}/")
        for uid in order.uids:
            self._archive(uid).expire(files_held_from=self._files_held_from)
        manifests, unreadable = self._manifests()
        segments = self._trim(order.server, manifests) if order.server is not None else 0
        said = f"Backups removed: {len(order.uids)}, segments of the log: {segments}"
        if unreadable:
            return Said(message=f"{said}; copies of files stay, for backup {unreadable[0]} cannot be read")
        return Said(message=f"{said}, copies of files: {self._remove_files(manifests)}")

    def _manifests(self) -> tuple[dict[str, dict[str, Any]], list[str]]:
        """Of the backups that are left, by UID; and those that cannot be read or were not listed, which may name any file."""
        found: dict[str, dict[str, Any]] = {}
        listed = backups(self._store, self._order.tenant)
        unreadable = [uid for uid in self._order.kept if uid not in listed]
        for uid in listed:
            try:
                found[uid] = self._archive(uid).read_manifest()
            except (DamagedError, RefusedError) as error:
                logger.warning("backup %s: %s", uid, error)
                unreadable.append(uid)
        return found, unreadable

    def _trim(self, server: str, manifests: Mapping[str, dict[str, Any]]) -> int:
        """How many segments of the log are removed."""
        tenant, key = self._order.tenant, bytes.fromhex(self._order.file_key)
        chain = TrimmedChain(self._store, tenant, key)
        bases = [Base(uid, ready_at(one), one["dump"]["gtid"]) for uid, one in manifests.items() if one["dump"]["gtid"]]
        last = History(self._store, tenant, server, key).surplus(self._order.window_begins, bases)
        if last is not None:
            chain.trim(last)
        return chain.sweep()

    def _remove_files(self, manifests: Mapping[str, dict[str, Any]]) -> int:
        """How many copies of files are removed: those that nothing names any more."""
        tenant, named = self._order.tenant, set[str]()
        for uid, manifest in manifests.items():
            named |= _named(self._archive(uid), manifest)
        for uid in expired_backups(self._store, tenant):
            archive = self._archive(uid)
            held = archive.read_held()
            if self._files_held_from is not None and ready_at(held) >= self._files_held_from:
                named |= _named(archive, held)
            else:
                archive.release_files()
        surplus = self._store.list(f"{tenant}/files/").keys() - named
        for key in surplus:
            self._store.delete(key)
        return len(surplus)

    def _archive(self, uid: str) -> Archive:
        return Archive(self._store, self._order.tenant, uid, self._order.file_key)


def _named(archive: Archive, manifest: Mapping[str, Any]) -> set[str]:
    """Keys of the copies of its files."""
    return {archive.copy_of(StoredObject(**one)) for one in manifest["files"]}


def expire(files: Files) -> Said:
    """Step `expire`."""
    return Expiry(backup_store(files), ExpiryOrder.load(files.text(ORDER_FILE))).run()


STEPS: Final[Mapping[str, Step]] = {"expire": expire}

if __name__ == "__main__":
    main(STEPS)
