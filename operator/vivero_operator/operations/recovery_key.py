"""Makes a recovery key: `python3 -m vivero_operator.operations.recovery_key`. Prints the private half, and behind it the public one.

Run it where the private half is to stay, and not on the platform.
"""

import secrets
import sys

from vivero_core.envelope import public_key

from vivero_operator.operations.platform_state import KEY_BYTES


def main() -> None:
    private = secrets.token_bytes(KEY_BYTES)
    sys.stdout.write(f"{private.hex()}\n{public_key(private).hex()}\n")


if __name__ == "__main__":
    main()
