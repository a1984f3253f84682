#!/bin/sh
# As the official one: root gives what lies in the working folder to the server's user, and becomes it.
set -eu
if [ "$1" = valkey-server ] && [ "$(id -u)" = 0 ]; then
    chown -R valkey:valkey .
    exec setpriv --reuid=valkey --regid=valkey --clear-groups -- "$@"
fi
exec "$@"
