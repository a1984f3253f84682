import gc
import os
import subprocess
import sys
from pathlib import Path

from vivero_dev.testing.tracing import UntracedDictionary

ROOT = Path(__file__).parents[3]
# Threads that end beside each other, as an event loop's do when it closes, and a machine that often changes between them.
PROGRAM = """
import sys, threading
sys.setswitchinterval(1e-6)
for _ in range(300):
    threads = [threading.Thread(target=sum, args=([1],)) for _ in range(20)]
    threads += [threading.Thread(target=lambda: sum([1])) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


def test_a_measured_program_with_many_short_threads_comes_to_its_end(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    command = [sys.executable, "-m", "coverage", "run", f"--rcfile={ROOT / 'pyproject.toml'}", str(program)]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "dev"), "COVERAGE_FILE": str(tmp_path / ".coverage")}
    # A program that stands still never ends; the bound is for the test.
    subprocess.run(command, check=True, cwd=tmp_path, env=environment, timeout=120)  # noqa: S603  own words


class Key:
    pass


def test_what_is_gone_is_gone_also_while_somebody_iterates() -> None:
    keys = [Key() for _ in range(5)]
    held = UntracedDictionary({key: number for number, key in enumerate(keys)})
    for number in held.values():
        if number == 1:
            del keys[3]
    assert sorted(held.values()) == [0, 1, 2, 4]
    assert set(held) == set(keys)
    keys.clear()
    gc.collect()
    assert len(held) == 0
