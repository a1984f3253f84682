"""The program of a TenantRestore of a backup: loads its dump into what is to be filled, copies its files, compares."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from vivero_operator.operations.archive import Archive, backup_store
from vivero_operator.operations.dumps import of_schema, with_left_out
from vivero_operator.operations.errors import RefusedError
from vivero_operator.operations.new_tenant import NewTenant
from vivero_operator.operations.object_store import StoredObject, holds
from vivero_operator.operations.orders import ORDER_FILE, RestoreOrder
from vivero_operator.operations.program import Files, Step, main
from vivero_operator.operations.runner import Said


class Restore:
    """One restore, and where it comes from and goes to."""

    def __init__(self, files: Files) -> None:
        order = RestoreOrder.load(files.text(ORDER_FILE))
        self.archive = Archive(backup_store(files), order.tenant, order.uid, order.file_key)
        self.manifest = self.archive.read_manifest()
        self.new = NewTenant(files, order.target, order.file_key)

    def pairs(self) -> Iterator[tuple[dict[str, Any], str]]:
        """What the manifest says of a schema, and the schema that it is loaded into."""
        for schema in self.manifest["schemas"]:
            if schema["schema"] in self.new.left_out:
                continue
            if schema["schema"] not in self.new.schemas:
                raise RefusedError(f"the backup holds a schema {schema['schema']} that is not the tenant's")
            yield schema, self.new.schemas[schema["schema"]]

    def files(self) -> tuple[list[StoredObject], int]:
        """Files of the backup that the loaded data names, and how many it names that the backup has not."""
        held = {one["key"]: StoredObject(**one) for one in self.manifest["files"]}
        named = self.new.named_files()
        found = [held[key] for key in named if key in held]
        return found, len(named) - len(found)


def load(files: Files) -> Said:
    """Step `database`."""
    restore = Restore(files)
    names, left = [schema["schema"] for schema, _ in restore.pairs()], list(restore.manifest.get("events", ()))
    for name in names:
        dump = restore.archive.read_dump(restore.manifest)
        left += map(str, restore.new.load(of_schema(dump, restore.new.sources, name), name))
    return Said(message=with_left_out(f"Schemas loaded: {len(names)}", left))


def copy_files(files: Files) -> Said:
    """Step `files`."""
    restore = Restore(files)
    restore.new.end_uploads()
    wanted, missing = restore.files()
    there = restore.new.files()
    for one in wanted:
        if not holds(there, one.key, one.size):
            with restore.archive.store.open(restore.archive.copy_of(one), one.size) as read:
                restore.new.add_file(one.key, read)
    return Said(message=f"Files in the tenant's bucket: {len(wanted)}, gone for good: {missing}")


def verify(files: Files) -> Said:
    """Step `verify`: what was loaded is dumped as well, and compared with what the backup's manifest says."""
    restore = Restore(files)
    for schema, target in restore.pairs():
        restore.new.compare(target, schema["rows"], schema["tables"])
    wanted, missing = restore.files()
    there = restore.new.files()
    for one in wanted:
        restore.new.require_file(there, one.key, one.size)
    result = {"files": len(wanted), "missingFiles": missing, "restoredTo": restore.manifest["takenAt"]}
    return Said(message="The same as in the backup", result=result)


STEPS: Final[Mapping[str, Step]] = {"database": load, "files": copy_files, "verify": verify}

if __name__ == "__main__":
    main(STEPS)
