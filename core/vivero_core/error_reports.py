"""Reports of errors to Sentry: off unless there is an address for them, and then without secrets and personal data."""

from typing import Any, Final

from vivero_core.log_events import redact_event

_PRIVATE: Final = ("query_string", "data", "cookies", "headers", "env")
_OF_A_CRUMB: Final = ("level", "category", "type", "timestamp")


def start(dsn: str | None, service: str) -> None:
    """From now on, what is logged as an error and what no one caught; nothing without an address."""
    if dsn is None:
        return
    import sentry_sdk  # noqa: PLC0415  megabytes that most installations do not use

    sentry_sdk.init(
        dsn=dsn,
        server_name=service,
        send_default_pii=False,
        include_local_variables=False,
        before_send=without_private,
        before_breadcrumb=without_words,
    )


def without_private(event: Any, _: Any) -> Any:  # noqa: ANN401  Sentry's event is an open dictionary
    """Drop what may hold a secret or a person's data from a report, and redact what is left as in the log."""
    request = event.get("request", {})
    for key in _PRIVATE:
        request.pop(key, None)
    # What was put into a message: it stands in it as well, redacted.
    event.get("logentry", {}).pop("params", None)
    return redact_event(None, "", event)


def without_words(crumb: Any, _: Any) -> Any:  # noqa: ANN401  as above
    """Of what happened before, when and in which part: its words are in the log."""
    return {key: crumb[key] for key in _OF_A_CRUMB if key in crumb}
