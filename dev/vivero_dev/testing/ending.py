"""A plugin of pytest: SIGTERM ends a run as Ctrl-C does, so that fixtures take down what they started.

SIGINT itself does not do: who is started in the background of a script ignores it.
"""

import signal


def pytest_configure() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
