"""Debian packages of newer suites, unpacked into the cache without installing them.

No mirror is named here: sources are derived from this machine's apt configuration.
"""

import fcntl
import os
import re
from dataclasses import dataclass
from pathlib import Path

from vivero_dev.commands import run, run_long
from vivero_dev.errors import ComponentError

APT_SOURCES = Path("/etc/apt")
OS_RELEASE = Path("/etc/os-release")
# Suites of a release; apt takes the newest version that any of them holds.
SUITES = ("", "-updates", "-backports")


@dataclass(frozen=True, slots=True)
class Source:
    """One place packages come from: its address, and the option that names its keyring."""

    address: str
    signed_by: str
    components: str


def extracted(cache: Path, package: str, release: str = "") -> Path:
    """The folder with the package's files, unpacked into the cache; nothing is installed or upgraded.

    From this machine's release, or another `release` of the same distribution.
    """
    folder = cache / "debian" / release
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / package
    with (folder / f".{package}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if not target.exists():
            _extract(folder, package, release or codename(OS_RELEASE.read_text()), target)
    return target


def _extract(folder: Path, package: str, release: str, target: Path) -> None:
    lists = folder / "lists"
    (lists / "partial").mkdir(parents=True, exist_ok=True)
    sources = folder / "sources.list"
    sources.write_text("".join(one_line(distribution_source(), f"{release}{suite}") + "\n" for suite in SUITES))
    options = [
        f"-o=Dir::Etc::sourcelist={sources}",
        "-o=Dir::Etc::sourceparts=-",
        f"-o=Dir::State::lists={lists}",
        "-o=Dir::Cache::pkgcache=",
        "-o=Dir::Cache::srcpkgcache=",
        # The cache may be in a folder where apt's sandbox user cannot write.
        "-o=APT::Sandbox::User=root",
    ]
    log = folder / "apt.log"
    run_long("apt", ["apt-get", "-q", *options, "update"], log=log)
    run_long("apt", ["apt-get", "-q", *options, "download", package], log=log, cwd=folder)
    archive = max(folder.glob(f"{package}_*.deb"), key=os.path.getmtime)
    draft = folder / f"{package}.new"
    run("apt", ["rm", "-rf", draft])
    run("dpkg", ["dpkg-deb", "--extract", archive, draft])
    draft.rename(target)
    archive.unlink()


def codename(os_release: str) -> str:
    found = re.search(r'^VERSION_CODENAME="?([a-z]+)"?$', os_release, re.MULTILINE)
    if found is None:
        raise ComponentError("apt", "/etc/os-release names no release of Debian or Ubuntu")
    return found.group(1)


def distribution_source() -> Source:
    """The source this machine installs its own release from."""
    release = codename(OS_RELEASE.read_text())
    for file in sorted((APT_SOURCES / "sources.list.d").glob("*.sources")):
        for stanza in re.split(r"\n\s*\n", file.read_text()):
            if found := from_stanza(stanza, release):
                return found
    for file in (APT_SOURCES / "sources.list", *sorted((APT_SOURCES / "sources.list.d").glob("*.list"))):
        for line in file.read_text().splitlines() if file.exists() else []:
            if found := from_line(line, release):
                return found
    raise ComponentError("apt", f"no source in {APT_SOURCES} holds the suite {release}")


def from_stanza(stanza: str, release: str) -> Source | None:
    """The source a deb822 stanza gives for `release`; keyrings written into the stanza are not supported."""
    fields = {
        name.lower(): value.strip() for name, value in re.findall(r"^([A-Za-z-]+):[ \t]*(.*)$", stanza, re.MULTILINE)
    }
    if "deb" not in fields.get("types", "").split() or release not in fields.get("suites", "").split():
        return None
    return Source(fields["uris"].split()[0], fields.get("signed-by", ""), fields.get("components", "main"))


def from_line(line: str, release: str) -> Source | None:
    """The source a one-line entry gives for `release`."""
    found = re.fullmatch(r"deb\s+(?:\[(?P<options>[^]]*)\]\s+)?(?P<address>\S+)\s+(?P<suite>\S+)\s+(?P<parts>.+)", line)
    if found is None or found["suite"] != release:
        return None
    signed = re.search(r"signed-by=(\S+)", found["options"] or "")
    return Source(found["address"], signed.group(1) if signed else "", found["parts"])


def one_line(source: Source, suite: str) -> str:
    options = f"[signed-by={source.signed_by}] " if source.signed_by else ""
    return f"deb {options}{source.address} {suite} {source.components}"
