"""What the OpenAPI document says of the whole API; the rest follows from the routes (ADR 0032)."""

from litestar.openapi import OpenAPIConfig
from vivero_web.openapi import json_document, openapi_config

from vivero_data import __version__
from vivero_data.domain.auth.guards import SECURITY_SCHEMES


def described() -> OpenAPIConfig:
    return openapi_config(
        title="Vivero data plane",
        version=__version__,
        description=(
            "A workspace: its collections and records, files and people. Every error is a problem (RFC 9457); every "
            "answer has an `X-Request-Id` to quote, and says in `RateLimit` how many more requests there is room for. A POST "
            "with JSON takes an `Idempotency-Key`: sent again within a day with the same body, it is not done again, and "
            "the answer is the first one's, with `Idempotency-Replayed: true`."
        ),
        schemes=SECURITY_SCHEMES,
        tags={
            "Authentication": "Logging in and out, and resetting a forgotten password.",
            "Webhooks": "Other systems are told of records that are made, changed and deleted (standardwebhooks.com).",
            "API keys": "Logins of programs, which act on behalf of the person who made them.",
            "Users": "The caller, and the accounts of the workspace.",
            "Collections": "Definitions of the kinds of records.",
            "Records": "The rows of a collection.",
            "Comments": "What people say about a record.",
            "Files of records": "Files in the fields of a record, and attached to it.",
            "Trash": "What was deleted or changed in the last 30 days, and the way back.",
            "Views": "Saved views of a collection: columns, conditions and order.",
            "Files": "Upload and download of files; always served as attachments.",
            "Imports": "Files that become records, and taking them back.",
            "Jobs": "Progress and results of work that takes longer than a request.",
            "Dashboards": "Tiles of reports, lists and texts; the home page shows one.",
            "Reports": "Groups and figures over the records of a collection, exact.",
            "Audit": "Who changed what.",
            "Workspace": "How its pages write numbers, dates and times, and all that is in it as one archive.",
            "Usage": "What counts against the plan.",
            "Health": "Probes for whoever operates the workspace.",
        },
        documents=[json_document()],
    )
