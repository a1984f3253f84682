"""Questions of the dashboards in Prometheus' own promtool."""

import json
from pathlib import Path

import pytest
from support.dashboards import questions
from vivero_dev.commands import run
from vivero_dev.debian import extracted
from vivero_dev.errors import ComponentError
from vivero_dev.instance import cache_root

QUESTIONS = questions()


def check(file: Path, exprs: dict[str, str]) -> str:
    """Each as a recording rule; raises ComponentError with what promtool says."""
    rules = [{"record": f"question:{number}", "expr": expr} for number, expr in enumerate(exprs.values())]
    file.write_text(json.dumps({"groups": [{"name": "questions", "rules": rules}]}))
    return run("promtool", [extracted(cache_root(), "prometheus") / "usr/bin/promtool", "check", "rules", file])


def test_every_question_is_promql(tmp_path: Path) -> None:
    assert f"{len(QUESTIONS)} rules found" in check(tmp_path / "rules.json", QUESTIONS)


def test_one_that_is_none_is_found(tmp_path: Path) -> None:
    """Else the test above could not fail."""
    with pytest.raises(ComponentError, match="parse error"):
        check(tmp_path / "rules.json", {"wrong": "rate(up[)"})
