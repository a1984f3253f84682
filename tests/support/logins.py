"""What a login of the database sees, over TLS as a program's."""

from typing import Any, TypeAlias

import pymysql
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.mariadb.client import Server
from vivero_core.backends.tls import client_context

Connection: TypeAlias = "pymysql.Connection[Any]"


def connected(server: Server, user: Credentials, schema: str, **options: Any) -> Connection:  # noqa: ANN401  pymysql's own
    """Each statement is committed by itself."""
    return pymysql.connect(
        host=server.host,
        port=server.port,
        user=user.name,
        password=user.secret,
        database=schema,
        ssl=client_context(server.authority),
        autocommit=True,
        **options,
    )


def rows(server: Server, user: Credentials, schema: str, *statements: str) -> list[tuple[Any, ...]]:
    """Of the last statement, over a connection of its own."""
    with connected(server, user, schema) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return list(cursor.fetchall())
