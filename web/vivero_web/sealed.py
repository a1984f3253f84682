"""Short secrets that have to be read again, encrypted for a place in the database. A copy with another key reads none."""

from io import BytesIO

from vivero_core.sealing import SealBrokenError, seal, unseal

from vivero_web.tokens import derive_key


class SealedSecrets:
    """Of one purpose of a program; `place` says whose secret it is, so that none opens in the place of another."""

    def __init__(self, master: str, program: str, purpose: str) -> None:
        self._key = derive_key(master, f"{program}/{purpose}")
        self._purpose = purpose

    def sealed(self, place: int | str, secret: bytes) -> bytes:
        return b"".join(seal(BytesIO(secret).read, self._key, f"{self._purpose}:{place}"))

    def opened(self, place: int | str, sealed: bytes) -> bytes | None:
        """The secret; None where the key is another, as in a copy of a workspace."""
        try:
            return b"".join(unseal(BytesIO(sealed).read, self._key, f"{self._purpose}:{place}"))
        except SealBrokenError:
            return None
