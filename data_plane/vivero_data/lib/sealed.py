"""Short secrets that have to be read again, encrypted for a place in the database. A copy with another key reads none."""

from io import BytesIO

from vivero_core.sealing import SealBrokenError, seal, unseal
from vivero_web.tokens import derive_key


class SealedSecrets:
    """Of one purpose; `place` says whose secret it is, so that none opens in the place of another."""

    def __init__(self, file_key: str, purpose: str) -> None:
        self._key = derive_key(file_key, f"vivero-data/{purpose}")
        self._purpose = purpose

    def sealed(self, place: int, secret: bytes) -> bytes:
        return b"".join(seal(BytesIO(secret).read, self._key, f"{self._purpose}:{place}"))

    def opened(self, place: int, sealed: bytes) -> bytes | None:
        """The secret; None in a copy of the workspace, whose key is another."""
        try:
            return b"".join(unseal(BytesIO(sealed).read, self._key, f"{self._purpose}:{place}"))
        except SealBrokenError:
            return None
