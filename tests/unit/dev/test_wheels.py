"""uv gets what pip was told."""

from pathlib import Path

import pytest
from vivero_dev.wheels import settings_for_uv


@pytest.mark.parametrize(
    ("listed", "told"),
    [
        (["global.index-url='https://a.example/simple'"], {"UV_DEFAULT_INDEX": "https://a.example/simple"}),
        (
            ["global.index-url='https://a.example'", ":env:.index-url='https://b.example'"],
            {"UV_DEFAULT_INDEX": "https://b.example"},  # a variable wins over a file
        ),
        (
            [r"install.extra-index-url='\nhttps://a.example\nhttps://b.example'"],
            {"UV_INDEX": "https://a.example https://b.example"},
        ),
        (
            ["global.cert='/etc/x.crt'", ":env:.default-timeout='180'"],
            {"SSL_CERT_FILE": "/etc/x.crt", "UV_HTTP_TIMEOUT": "180"},
        ),
        (["global.disable-pip-version-check='1'", "", "no setting"], {}),
    ],
)
def test_settings_of_pip_are_told_in_uvs_names(listed: list[str], told: dict[str, str]) -> None:
    assert settings_for_uv(listed, {}) == told


def test_a_folder_of_wheels_that_is_not_there_is_passed_over_as_pip_does(tmp_path: Path) -> None:
    listed = [rf"global.find-links='\n{tmp_path}\n{tmp_path / 'none'}\nhttps://a.example/wheels'"]
    assert settings_for_uv(listed, {}) == {"UV_FIND_LINKS": f"{tmp_path},https://a.example/wheels"}


def test_what_a_person_told_uv_stays() -> None:
    listed = ["global.index-url='https://a.example'", "global.cert='/etc/x.crt'"]
    assert settings_for_uv(listed, {"UV_DEFAULT_INDEX": "https://own.example"}) == {"SSL_CERT_FILE": "/etc/x.crt"}
