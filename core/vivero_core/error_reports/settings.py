"""What both programs with pydantic settings say of reports."""

from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, SecretStr

from vivero_core.error_reports.dsn import Dsn, read


def _readable(text: SecretStr) -> SecretStr:
    read(text.get_secret_value())
    return text


SentryDsn = Annotated[SecretStr, AfterValidator(_readable)]
"""Sentry's address of a project, `https://KEY@HOST/PROJECT`."""


def address_of(setting: SecretStr | None) -> Callable[[], Dsn | None]:
    """As a Reporter asks for it: one that stays as it is."""
    dsn = read(setting.get_secret_value()) if setting is not None else None
    return lambda: dsn
