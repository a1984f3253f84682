"""The pause image, which holds a pod's network namespace: one small static program.

Nothing is pulled on the native platform, so it is built here.
"""

import hashlib
import io
import json
import tarfile
from pathlib import Path

from vivero_dev.commands import run
from vivero_dev.native.containerd import PAUSE_IMAGE

# One fixed date in every archive, so that the same content has the same hash.
EPOCH = 0


def write_pause_archive(program: Path, target: Path) -> None:
    """An image archive as `docker save` makes it, with `program` as its only file."""
    layer = _tar({"pause": (program.read_bytes(), 0o755)})
    diff = f"sha256:{hashlib.sha256(layer).hexdigest()}"
    config = json.dumps(
        {
            "architecture": _architecture(),
            "os": "linux",
            "config": {"Entrypoint": ["/pause"], "User": "65535:65535"},
            "rootfs": {"type": "layers", "diff_ids": [diff]},
        }
    ).encode()
    name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = json.dumps([{"Config": name, "RepoTags": [PAUSE_IMAGE], "Layers": ["layer.tar"]}]).encode()
    target.write_bytes(_tar({name: (config, 0o644), "layer.tar": (layer, 0o644), "manifest.json": (manifest, 0o644)}))


def _architecture() -> str:
    return run("pause", ["dpkg", "--print-architecture"], timeout=10).strip()


def _tar(files: dict[str, tuple[bytes, int]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, (content, mode) in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = len(content), mode, EPOCH
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
