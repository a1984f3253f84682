"""Who the workspace is, for people."""

import re
from typing import Final

import msgspec

_PORT: Final = re.compile(r":[0-9]*\Z")


class Identity(msgspec.Struct, frozen=True):
    """Its name, and the address that browsers use; the address is empty where nobody has said it."""

    name: str
    public_url: str

    def host(self, asked: str) -> str:
        """The host without its port; of `asked`, the request's, where nobody has said the address."""
        return _PORT.sub("", self.public_url.partition("://")[2] or asked)
