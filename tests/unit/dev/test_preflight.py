"""What is said where Docker is there but does not work; the outputs are those of real clients and daemons."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from vivero_dev.docker import preflight
from vivero_dev.docker.preflight import GIB, DockerUnusableError, Findings, diagnosis
from vivero_dev.docker.provider import DockerProvider
from vivero_dev.instance import Instance
from vivero_dev.steps import StepFailedError, run_steps

# Docker 26.1.5, shortened: with its daemon, and without.
INFO = {"ServerVersion": "26.1.5+dfsg1", "MemTotal": 25276502016, "DockerRootDir": "/var/lib/docker", "NCPU": 2}
NOBODY = {"ServerVersion": "", "MemTotal": 0, "DockerRootDir": "", "NCPU": 0}
NOT_RUNNING = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
REFUSED = (
    "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get"
    ' "http://%2Fvar%2Frun%2Fdocker.sock/v1.50/info": dial unix /var/run/docker.sock: connect: permission denied'
)
TOO_NEW = "Error response from daemon: client version 1.99 is too new. Maximum supported API version is 1.45"
NO_COMPOSE = "docker exited with 125\nunknown flag: --short\nSee 'docker --help'.\n\nUsage:  docker [OPTIONS] COMMAND"
WELL = Findings(json.dumps(INFO), "2.26.1-4\n", 64 * GIB)


def info(**fields: object) -> str:
    return json.dumps(INFO | fields)


def errors(said: str) -> str:
    """As Docker 26 fails, which then exits with 0."""
    return json.dumps(NOBODY | {"ServerErrors": [said]})


def failed(said: str) -> str:
    """As Docker 28 does."""
    return f"docker exited with 1\n{said}"


@pytest.mark.parametrize("compose", ["2.26.1-4\n", "v2.17.0", "2.40.3+ds1-0ubuntu1", "5.0.1"])
@pytest.mark.parametrize("version", ["20.10.24+dfsg1", "26.1.5+dfsg1", "28.2.2"])
def test_where_docker_works_nothing_is_wrong(version: str, compose: str) -> None:
    assert diagnosis(replace(WELL, info=info(ServerVersion=version), compose=compose)) is None
    assert diagnosis(replace(WELL, free=None)) is None


@pytest.mark.parametrize("fails", [errors, failed])
@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (NOT_RUNNING, "The Docker daemon does not run: start Docker Desktop, or sudo systemctl start docker."),
        (REFUSED, "Docker refuses this user: add them to the group docker"),
        (TOO_NEW, "Maximum supported API version is 1.45): see that docker info works."),
    ],
)
def test_a_daemon_that_is_not_reached(fails: Callable[[str], str], said: str, sentence: str) -> None:
    problem = diagnosis(Findings(fails(said), NO_COMPOSE, None))
    assert problem is not None
    assert sentence in problem


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (
            replace(WELL, info=info(ServerVersion="19.03.15")),
            "Docker 19.03.15 is too old: update it to 20.10 or later.",
        ),
        (replace(WELL, compose=NO_COMPOSE), "Docker has no Compose: install its plugin"),
        (replace(WELL, compose="docker exited with 1\ndocker: unknown command: docker compose"), "has no Compose"),
        (replace(WELL, compose="2.5.0\n"), "Compose 2.5.0 is too old: update it to 2.17 or later."),
        (replace(WELL, info=info(MemTotal=2061848576)), "Docker has 1.9 GiB of memory and the platform needs 3.5"),
        (replace(WELL, free=3 * GIB), "/var/lib/docker has 3.0 GiB free and the platform needs 8"),
        (replace(WELL, info=""), "The Docker daemon gives no answer (it said nothing)"),
        (replace(WELL, info="[]"), "The Docker daemon gives no answer"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(found: Findings, sentence: str) -> None:
    problem = diagnosis(found)
    assert problem is not None
    assert sentence in problem


def test_up_says_it_before_anything_is_compiled(
    instance: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through programs that say what real ones do."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DockerUnusableError, match="There is no docker program"):
        preflight.examine()
    program = tmp_path / "docker"
    program.write_text(f"#!/bin/sh\necho '{errors(NOT_RUNNING)}'\n")
    program.chmod(0o755)
    steps = DockerProvider(instance).steps()
    shown: list[str] = []

    class Shown:
        def started(self, step: str) -> None:
            shown.append(step)

        def said(self, step: str, text: str) -> None: ...

        def finished(self, step: str, outcome: str, seconds: float) -> None: ...

        def failed(self, step: str, seconds: float) -> None: ...

        def progressed(self, share: float, left: float) -> None: ...

    with pytest.raises(StepFailedError, match="docker failed: The Docker daemon does not run"):
        run_steps(steps, Shown())
    assert shown == ["docker"]
    answer = info(DockerRootDir=str(tmp_path / "elsewhere"))
    program.write_text(f"#!/bin/sh\ncase $1 in info) echo '{answer}';; *) echo 2.26.1-4;; esac\n")
    assert preflight.examine() == "Docker 26.1.5+dfsg1, Compose 2.26.1-4"
