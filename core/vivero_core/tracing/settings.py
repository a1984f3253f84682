"""What both programs with pydantic settings say of a collector."""

from typing import Annotated

from pydantic import AfterValidator, SecretStr

from vivero_core.tracing.setup import headers_of


def _readable(text: SecretStr) -> SecretStr:
    headers_of(text.get_secret_value())
    return text


OtlpHeaders = Annotated[SecretStr, AfterValidator(_readable)]
"""Headers that a product asks for, `name=value,name=value`, values percent-encoded."""
