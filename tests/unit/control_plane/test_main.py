"""The program's command line."""

import sys

import pytest
from vivero_control import main, settings
from vivero_control.db.database import DatabaseUnavailableError
from vivero_control.settings import Settings
from vivero_web import logs


@pytest.mark.parametrize("arguments", [[], ["dance"], ["serve", "twice"]])
def test_another_command_says_which_there_are(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["vivero_control", *arguments])
    with pytest.raises(SystemExit, match=r"usage: .* serve \| worker \| migrate"):
        main.main()


def test_missing_settings_are_all_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["vivero_control", "serve"])
    monkeypatch.setitem(Settings.model_config, "secrets_dir", None)
    for name in ("VIVERO_PUBLIC_URL", "VIVERO_DATABASE__HOST"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SystemExit, match=r"(?s)setting public_url: .*setting database: .*setting app: "):
        main.main()


def test_a_role_that_fails_ends_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    class Telemetry:
        log_level = "INFO"
        log_format = "plain"
        sentry_dsn = None

    class Loaded:
        telemetry = Telemetry()

    def fails(_: object) -> None:
        raise DatabaseUnavailableError

    monkeypatch.setattr(sys, "argv", ["vivero_control", "migrate"])
    monkeypatch.setattr(settings, "load", Loaded)
    monkeypatch.setattr(logs, "configure", lambda *_, **__: None)
    monkeypatch.setattr(main, "ROLES", {"migrate": fails})
    with pytest.raises(SystemExit, match="DatabaseUnavailableError: "):
        main.main()
