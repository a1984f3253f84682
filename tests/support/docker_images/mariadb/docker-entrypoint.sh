#!/bin/bash
# What compose.yaml asks of the official entry point, and nothing else: as its own user, at the first start the system
# tables, the health check's users, the .sql files as root, and then root's password by its hash; then the server.
set -euo pipefail
data=/var/lib/mysql

if [ "$(id -u)" = 0 ]; then
    chown mysql:mysql "$data" /run/mysqld
    exec setpriv --reuid=mysql --regid=mysql --init-groups -- "$0" "$@"
fi

as_root() { mariadb --protocol=socket --user=root --database=mysql; }

if [ ! -d "$data/mysql" ]; then
    mariadb-install-db --datadir="$data" --auth-root-authentication-method=normal --skip-test-db
    "$@" --skip-networking &
    server=$!
    until as_root <<<'SELECT 1' >/dev/null 2>&1; do
        kill -0 "$server"
        sleep 0.2
    done
    checker=$(head --bytes=24 /dev/urandom | base64)
    (umask 077 && printf '[mariadb-client]\nuser=healthcheck\npassword=%s\n' "$checker" >"$data/.my-healthcheck.cnf")
    as_root <<<"DROP USER IF EXISTS root@'127.0.0.1', root@'::1', root@'$(hostname)'"
    for host in localhost 127.0.0.1 ::1; do
        as_root <<<"CREATE USER healthcheck@'$host' IDENTIFIED BY '$checker'"
    done
    for file in /docker-entrypoint-initdb.d/*.sql; do
        as_root <"$file"
    done
    as_root <<<"SET PASSWORD FOR root@${MARIADB_ROOT_HOST:?} = '${MARIADB_ROOT_PASSWORD_HASH:?}'"
    kill "$server"
    wait "$server"
fi
exec "$@"
