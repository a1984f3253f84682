from pathlib import Path

import pytest
from vivero_data.errors import SettingsError
from vivero_data.settings import load, read_mail

ENVIRON = {
    "VIVERO_TENANT_ID": "abcdefghij",
    "VIVERO_TENANT_NAME": "Acme GmbH",
    "VIVERO_PUBLIC_URL": "https://acme.vivero.localhost:8443",
}
KEY = "0123456789abcdef" * 4
FILES = {
    "database/username": "vtx",
    "database/password": "sesame-secret",
    "database/host": "db.example.com",
    "database/port": "3306",
    "database/name": "vtx",
    "cache/username": "vtx",
    "cache/password": "sesame-secret",
    "cache/host": "cache.example.com",
    "cache/port": "6379",
    "cache/prefix": "vtx:",
    "storage/access_key": "vivero-x",
    "storage/secret_key": "sesame-secret",
    "storage/endpoint": "https://s3.example.com:7070",
    "storage/bucket": "vivero-x",
    "storage/region": "us-east-1",
    "app/signing_key": KEY,
    "app/file_key": KEY,
    "app/operator_token": KEY,
    "limits/limits.json": "{}",
    "platform/ca.crt": "a certificate",
}


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content + "\n")
    return {**ENVIRON, "VIVERO_SECRETS_DIR": str(tmp_path)}


def test_everything_is_read_and_trimmed(environ: dict[str, str]) -> None:
    settings = load(environ)
    assert settings.database.port == 3306
    assert settings.cache.prefix == "vtx:"
    assert settings.env.tenant_name == "Acme GmbH"
    assert settings.env.public_url == "https://acme.vivero.localhost:8443"
    assert settings.env.proxy_hops == 1


@pytest.mark.parametrize(("content", "audit"), [(None, None), ("\n", None), ("vtxaudit\n", "vtxaudit")])
def test_the_audit_log_may_have_a_schema_of_its_own(
    environ: dict[str, str], content: str | None, audit: str | None
) -> None:
    if content is not None:
        (Path(environ["VIVERO_SECRETS_DIR"]) / "database/audit").write_text(content)
    assert load(environ).database.audit == audit


def test_a_missing_variable_is_named(environ: dict[str, str]) -> None:
    del environ["VIVERO_TENANT_ID"]
    with pytest.raises(SettingsError, match=r"^VIVERO_TENANT_ID: is not set"):
        load(environ)


@pytest.mark.parametrize("value", [None, ""])
def test_who_the_workspace_is_may_be_told_later(environ: dict[str, str], value: str | None) -> None:
    for name in ("VIVERO_TENANT_NAME", "VIVERO_PUBLIC_URL"):
        environ.pop(name)
        if value is not None:
            environ[name] = value
    env = load(environ).env
    assert (env.tenant_name, env.public_url) == (None, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VIVERO_TENANT_ID", "../etc"),
        ("VIVERO_PUBLIC_URL", "acme.example.com"),
        ("VIVERO_PUBLIC_URL", "https://acme.example.com/path"),
        ("VIVERO_PUBLIC_URL", "https://[acme"),
        ("VIVERO_DATABASE_POOL", "many"),
        ("VIVERO_DATABASE_POOL", "0"),
        ("VIVERO_LOG_LEVEL", "LOUD"),
        ("VIVERO_TENANT_NAME", "x" * 81),
    ],
)
def test_a_wrong_variable_is_named(environ: dict[str, str], name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name}: ") as caught:
        load({**environ, name: value})
    assert "is not set" not in caught.value.detail


@pytest.mark.parametrize("name", list(FILES))
def test_a_missing_file_is_named(environ: dict[str, str], name: str) -> None:
    path = Path(environ["VIVERO_SECRETS_DIR"]) / name
    path.unlink()
    with pytest.raises(SettingsError, match=f"^{path}: cannot be read"):
        load(environ)


@pytest.mark.parametrize("name", ["database/port", "storage/endpoint", "app/signing_key", "storage/bucket"])
def test_a_wrong_file_is_named_without_its_content(environ: dict[str, str], name: str) -> None:
    path = Path(environ["VIVERO_SECRETS_DIR"]) / name
    path.write_text("sesame secret!")
    with pytest.raises(SettingsError, match=f"^{path}: ") as caught:
        load(environ)
    assert "sesame" not in caught.value.detail


def test_a_file_that_is_no_text_is_refused(environ: dict[str, str]) -> None:
    (Path(environ["VIVERO_SECRETS_DIR"]) / "database/password").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="UnicodeDecodeError"):
        load(environ)


def test_an_invalid_ca_file_is_named(environ: dict[str, str]) -> None:
    path = Path(environ["VIVERO_SECRETS_DIR"]) / "platform/ca.crt"
    for content in ("", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        path.write_text(content)
        with pytest.raises(SettingsError, match=f"^{path}: holds no certificate"):
            load(environ).tls()


MAIL = {"host": "smtp.example", "sender": "Acme <records@acme.example>"}


def write_mail(environ: dict[str, str], **files: str) -> Path:
    folder = load(environ).mail_folder
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(content)
    return folder


def test_a_mail_server_may_be_missing(environ: dict[str, str]) -> None:
    assert read_mail(load(environ).mail_folder) is None
    assert read_mail(write_mail(environ, host="")) is None


def test_a_mail_server_needs_few_words(environ: dict[str, str]) -> None:
    found = read_mail(write_mail(environ, **MAIL, username=""))
    assert found is not None
    assert (found.host, found.port, found.security, found.username) == ("smtp.example", 587, "starttls", None)
    found = read_mail(write_mail(environ, port="465", security="tls", username="acme", password="sesame-secret"))
    assert found is not None
    assert (found.port, found.security, found.username, found.password) == (465, "tls", "acme", "sesame-secret")


@pytest.mark.parametrize(
    ("name", "content"), [("sender", "nobody"), ("port", "99999"), ("security", "none"), ("host", "a\nb")]
)
def test_a_wrong_setting_of_the_mail_server_is_named(environ: dict[str, str], name: str, content: str) -> None:
    folder = write_mail(environ, **{**MAIL, name: content})
    with pytest.raises(SettingsError, match=f"^{folder}/{name}: "):
        read_mail(folder)
