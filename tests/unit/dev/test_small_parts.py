"""Parts of a few lines each: secrets, logs, commands, waiting, packages, assets."""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from vivero_dev import assets, debian
from vivero_dev.commands import UNKNOWN, run, run_long, version_of
from vivero_dev.errors import ComponentError
from vivero_dev.image_names import read_names, write_names
from vivero_dev.instance import Instance
from vivero_dev.logfiles import TAIL_BYTES, tail
from vivero_dev.probing import until
from vivero_dev.secret_store import SecretStore


def test_a_secret_is_made_once_even_by_many_at_once(instance: Instance) -> None:
    store = SecretStore(instance.secrets_dir)
    start = threading.Barrier(8, timeout=10)

    def ask(_: int) -> str:
        start.wait()
        return store.get("password")

    with ThreadPoolExecutor(8) as pool:
        values = set(pool.map(ask, range(8)))
    assert len(values) == 1
    (file,) = instance.secrets_dir.iterdir()
    assert file.stat().st_mode & 0o077 == 0
    assert values.pop().isalnum()


def test_a_secret_can_be_made_by_its_own_rule(instance: Instance) -> None:
    store = SecretStore(instance.secrets_dir)
    assert store.get("key", lambda: "given") == "given"
    assert store.get("key") == "given"


def test_the_tail_of_a_log_is_bounded(tmp_path: Path) -> None:
    log = tmp_path / "big.log"
    log.write_bytes(b"x" * TAIL_BYTES * 2 + b"\nlast \xff line\n")
    assert tail(log, 1) == "last � line"
    assert tail(tmp_path / "none.log") == ""


def test_a_command_gives_its_output_and_reads_nothing_from_the_terminal() -> None:
    assert run("echo", ["cat"], stdin="told") == "told"
    assert run("echo", ["cat"]) == ""
    assert run("env", ["sh", "-c", "echo $GIVEN"], environment={"GIVEN": "x"}) == "x\n"


def test_a_failing_command_is_named_with_its_words(tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match=r"mirror: sh exited with 3\nno route"):
        run("mirror", ["sh", "-c", "echo no route >&2; exit 3"])
    log = tmp_path / "log"
    with pytest.raises(ComponentError) as caught:
        run("mirror", ["sh", "-c", "echo no route >&2; exit 3"], log=log)
    assert caught.value.log == log
    assert log.read_text() == "no route\n"


def test_a_command_that_hangs_or_is_missing_is_named() -> None:
    with pytest.raises(ComponentError, match="took longer than"):
        run("sleeper", ["sleep", "30"], timeout=0.2)
    with pytest.raises(ComponentError, match="cannot be run"):
        run("nothing", ["/no/such/program"])


def test_work_takes_as_long_as_it_needs_and_tells_each_line(tmp_path: Path) -> None:
    lines: list[str] = []
    log = tmp_path / "log"
    log.write_text("of an earlier run\n")
    # Longer in all than the silence that is allowed, and never as long silent: it prints, and then it computes.
    script = "for i in 1 2 3 4; do echo $i; sleep 0.6; done; timeout 3 sh -c 'while :; do :; done'; printf end"
    run_long("build", ["sh", "-c", script], log=log, stall_timeout=1.5, on_line=lines.append)
    assert lines == ["1", "2", "3", "4"]
    assert log.read_text().endswith("4\nend")


def test_work_that_is_silent_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(
        ComponentError, match=r"sh neither printed anything nor used the processor for 1 s\. What is done"
    ):
        run_long("build", ["sh", "-c", "sleep 600 & echo $!; wait"], log=log, stall_timeout=1)
    with contextlib.suppress(psutil.NoSuchProcess):
        # Dead, and at most not yet waited for by whoever adopts orphans on this machine.
        started = psutil.Process(int(log.read_text()))
        until("end", lambda: None if started.status() == psutil.STATUS_ZOMBIE else started.status(), 60.0)


def test_work_that_fails_or_is_missing_is_named(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(ComponentError, match=r"build: sh exited with 3\. What is done stays") as caught:
        run_long("build", ["sh", "-c", "echo no space; exit 3"], log=log)
    assert caught.value.log == log
    assert log.read_text() == "no space\n"
    with pytest.raises(ComponentError, match="build: none-such cannot be run: No such file"):
        run_long("build", ["none-such"], log=log)


def test_waiting_ends_with_the_last_complaint() -> None:
    complaints = iter(["cold", "lukewarm", None])
    until("tea", lambda: next(complaints), 5)
    with pytest.raises(ComponentError, match="tea: not ready within 0 s: cold"):
        until("tea", lambda: "cold", 0)


def test_images_are_those_of_the_last_build(instance: Instance) -> None:
    with pytest.raises(ComponentError, match="not built"):
        read_names(instance)
    write_names(instance, {"operator": "localhost/vivero/operator:1"})
    assert read_names(instance) == {"operator": "localhost/vivero/operator:1"}


STANZA = """\
Types: deb
# a comment: with a colon
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/k.gpg
"""


@pytest.mark.parametrize(
    ("stanza", "found"),
    [
        (STANZA, debian.Source("http://mirror.example/debian", "/usr/share/keyrings/k.gpg", "main contrib")),
        (STANZA.replace("bookworm ", "trixie "), None),
        (STANZA.replace("Types: deb", "Types: deb-src"), None),
        ("", None),
    ],
)
def test_sources_are_read_from_stanzas(stanza: str, found: debian.Source | None) -> None:
    assert debian.from_stanza(stanza, "bookworm") == found


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("deb http://m.example/debian bookworm main", debian.Source("http://m.example/debian", "", "main")),
        (
            "deb [arch=amd64 signed-by=/k.gpg] http://m.example/debian bookworm main",
            debian.Source("http://m.example/debian", "/k.gpg", "main"),
        ),
        ("deb-src http://m.example/debian bookworm main", None),
        ("deb http://m.example/debian bookworm-updates main", None),
        ("# deb http://m.example/debian bookworm main", None),
    ],
)
def test_sources_are_read_from_lines(line: str, found: debian.Source | None) -> None:
    assert debian.from_line(line, "bookworm") == found


def test_a_suite_keeps_the_machines_mirror_and_keyring() -> None:
    line = debian.one_line(debian.Source("http://m.example/debian", "/k.gpg", "main universe"), "noble-backports")
    assert line == "deb [signed-by=/k.gpg] http://m.example/debian noble-backports main universe"
    assert debian.one_line(debian.Source("http://m.example", "", "main"), "s") == "deb http://m.example s main"


def test_the_release_is_read_or_refused() -> None:
    assert debian.codename('ID=debian\nVERSION_CODENAME="bookworm"\n') == "bookworm"
    with pytest.raises(ComponentError):
        debian.codename("ID=arch\n")


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("v20.20.2\n", (20, 20, 2)),
        ("v8.0.0", (8, 0, 0)),
        ("2.26.1-4", (2, 26, 1)),
        ("go1.26.8\n", (1, 26, 8)),
        ("go1.9", (1, 9, 0)),
        ("devel go1.27-abc", UNKNOWN),
        ("", UNKNOWN),
        ("bash: no", UNKNOWN),
    ],
)
def test_a_programs_version_is_understood(said: str, version: tuple[int, int, int]) -> None:
    assert version_of(said) == version


def test_assets_depend_on_every_template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in assets.SINGLE_FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    template = tmp_path / assets.SOURCES[-1] / "page.html.j2"
    template.parent.mkdir(parents=True)
    template.write_text('<p class="p-4">')
    monkeypatch.setattr(assets, "ROOT", tmp_path)
    before = assets.source_hash()
    assert assets.source_hash() == before
    template.write_text('<p class="p-5">')
    assert assets.source_hash() != before
