#!/bin/bash
# What compose.yaml asks of the official entry point, and nothing else: as its own user, at the first start the system
# tables, a root with a password that nobody knows, the health check's user, and the .sql files; then the server.
set -euo pipefail
data=/var/lib/mysql

if [ "$(id -u)" = 0 ]; then
    chown mysql:mysql "$data" /run/mysqld
    exec setpriv --reuid=mysql --regid=mysql --init-groups -- "$0" "$@"
fi

secret() { head --bytes=24 /dev/urandom | base64; }
as_root() { MYSQL_PWD=$root mariadb --protocol=socket --user=root --database=mysql; }

if [ ! -d "$data/mysql" ]; then
    [ "${MARIADB_RANDOM_ROOT_PASSWORD:-}" = 1 ] && [ "${MARIADB_ROOT_HOST:-}" = localhost ]
    mariadb-install-db --datadir="$data" --auth-root-authentication-method=normal --skip-test-db
    "$@" --skip-networking &
    server=$! root=
    until as_root <<<'SELECT 1' >/dev/null 2>&1; do
        kill -0 "$server"
        sleep 0.2
    done
    new=$(secret) checker=$(secret)
    as_root <<<"DROP USER IF EXISTS root@'127.0.0.1', root@'::1';
        ALTER USER root@localhost IDENTIFIED BY '$new';
        CREATE USER healthcheck@localhost IDENTIFIED BY '$checker';"
    root=$new
    (umask 077 && printf '[mariadb-client]\nuser=healthcheck\npassword=%s\n' "$checker" >"$data/.my-healthcheck.cnf")
    for file in /docker-entrypoint-initdb.d/*.sql; do
        as_root <"$file"
    done
    kill "$server"
    wait "$server"
fi
exec "$@"
