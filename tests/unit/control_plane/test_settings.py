"""Settings, from environment and mounted files."""

from pathlib import Path

import pytest
from pydantic import ValidationError
from vivero_control import settings
from vivero_control.settings import Settings

FILES = {
    "database/username": "u",
    "database/password": "db-secret\n",
    "cache/username": "c",
    "cache/password": "cache-secret",
    "app/session_key": "k" * 64,
    "app/ticket_private_key": "pem",
    "app/admin_email": "admin@example.com",
    "app/admin_password": "long-enough-password",
}
ENV = {
    "VIVERO_PUBLIC_URL": "https://vivero.localhost:8443",
    "VIVERO_DATABASE__HOST": "db",
    "VIVERO_CACHE__HOST": "cache",
    "VIVERO_MAIL__HOST": "mail",
    "VIVERO_LIMITS__TRUSTED_PROXIES": '["10.0.0.0/8"]',
}


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    for name, text in ENV.items():
        monkeypatch.setenv(name, text)
    monkeypatch.setitem(Settings.model_config, "secrets_dir", str(tmp_path))
    return tmp_path


def test_secrets_come_from_files_and_the_rest_from_the_environment(secrets: Path) -> None:  # noqa: ARG001  a fixture
    loaded = settings.load()
    assert loaded.database.password.get_secret_value() == "db-secret"
    assert loaded.domain == "vivero.localhost"
    assert loaded.tenant_url("acme") == "https://acme.vivero.localhost:8443"
    assert loaded.limits.requests_per_minute == 100
    assert "db-secret" not in repr(loaded)


@pytest.mark.parametrize("url", ["http://vivero.localhost", "https://vivero.localhost/path", "nonsense"])
def test_a_wrong_setting_is_named_without_its_value(secrets: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:  # noqa: ARG001  a fixture
    monkeypatch.setenv("VIVERO_PUBLIC_URL", url)
    with pytest.raises(ValidationError, match="public_url") as raised:
        settings.load()
    assert "db-secret" not in str(raised.value)


@pytest.mark.parametrize("contact", ["security@example.com", "http://example.com", "mailto:", "https://a b"])
def test_a_security_contact_is_a_uri(secrets: Path, monkeypatch: pytest.MonkeyPatch, contact: str) -> None:  # noqa: ARG001  a fixture
    monkeypatch.setenv("VIVERO_SECURITY_CONTACT", "mailto:security@example.com")
    assert settings.load().security_contact == "mailto:security@example.com"
    monkeypatch.setenv("VIVERO_SECURITY_CONTACT", contact)
    with pytest.raises(ValidationError, match="security_contact"):
        settings.load()


def test_a_missing_secret_stops_the_start(secrets: Path) -> None:
    (secrets / "database/password").unlink()
    with pytest.raises(ValidationError, match=r"database\.password"):
        settings.load()


@pytest.mark.parametrize("content", [None, "", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_an_invalid_ca_file_is_named(
    secrets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    del secrets
    ca = tmp_path / "ca.crt"
    if content is not None:
        ca.write_text(content)
    monkeypatch.setenv("VIVERO_PLATFORM__CA", str(ca))
    with pytest.raises(ValidationError, match=r"(?s)platform\.ca.*holds no certificate"):
        settings.load()
