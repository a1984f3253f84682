"""Guides whose code blocks are executed word for word."""

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCK_SECONDS = 600.0
"""More than any command of a guide waits by its own limit."""


@dataclass(frozen=True)
class Block:
    """One fenced block; `info` is what stands after the opening fence, such as `sh` or `sh running`."""

    info: str
    text: str
    section: str
    line: int


def blocks(guide: Path) -> list[Block]:
    whole = guide.read_text()
    found = []
    for match in FENCE.finditer(whole):
        before = whole[: match.start()]
        section = re.findall(r"^## (.*)$", before, re.MULTILINE)
        found.append(Block(match["info"], match["text"], section[-1] if section else "", before.count("\n") + 1))
    return found


@dataclass(frozen=True)
class Shell:
    """One person's shell: the variables of the first block are there in all the others, and the folder stays."""

    names: Block
    folder: Path
    environment: Mapping[str, str]

    def run(self, block: Block) -> str:
        """What it printed; fails the test with the block's place and words."""
        script = f"{self.names.text}\n{block.text}"
        done = subprocess.run(  # noqa: S603  the guide is the repository's own
            ["/bin/bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), **self.environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=BLOCK_SECONDS,
        )
        said = f"{done.stdout}\n{done.stderr}"
        assert done.returncode == 0, (
            f"block at line {block.line} ({block.section}) exited with {done.returncode}\n{said}"
        )
        return said

    def run_all(self, these: Sequence[Block]) -> None:
        for block in these:
            self.run(block)
