#!/bin/bash
# The two questions that compose.yaml asks: does it listen for others than the socket, and has InnoDB recovered?
set -euo pipefail
[ "$*" = "--connect --innodb_initialized" ]
ask() { mariadb --defaults-extra-file=/var/lib/mysql/.my-healthcheck.cnf --protocol=socket --skip-column-names -e "$1"; }
[ "$(ask 'SELECT @@skip_networking')" = 0 ]
[ "$(ask "SELECT COUNT(*) FROM information_schema.ENGINES WHERE ENGINE = 'InnoDB' AND SUPPORT = 'DEFAULT'")" = 1 ]
