"""What opens a signup. Its id only names it: ids stand in addresses, and those in every proxy's log. ADR 0028."""

import hmac

from vivero_control.lib.keys import fingerprint


class BearerTokens:
    """Made from ids with a key of ours: none is stored, and a request that is repeated gets the same one again."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, signup_id: str) -> str:
        """256 bits in hex, told once: in the answer to whoever signed up."""
        return fingerprint(self._key, signup_id)

    def opens(self, bearer: str | None, signup_id: str) -> bool:
        """Whether `bearer`, which may be anything that a stranger sends, is this signup's."""
        if bearer is None:
            return False
        return hmac.compare_digest(bearer.encode(errors="surrogatepass"), self.of(signup_id).encode())
