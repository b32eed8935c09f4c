#!/bin/bash
# The contract of docker-stacks' entrypoint: who is root becomes NB_USER, anybody else stays who they are; and as there,
# a command that fails ends it without a word.
set -e
echo "Entered start.sh with args: $*"
[ $# -gt 0 ] || set -- bash

if [ "$(id -u)" = 0 ]; then
    usermod --login "$NB_USER" --home "/home/$NB_USER" --move-home jovyan || true
    usermod --uid "$NB_UID" --gid "$NB_GID" "$NB_USER"
    exec sudo --preserve-env --set-home --user "$NB_USER" PATH="$PATH" "$@"
fi

JOVYAN_UID="$(id -u jovyan 2>/dev/null)"
JOVYAN_GID="$(id -g jovyan 2>/dev/null)"
whoami >/dev/null 2>&1 || echo "WARNING: there is no entry in /etc/passwd for our uid"
if [ "$NB_USER" != jovyan ] && [ "$NB_USER" != "$(id -un)" ]; then echo "WARNING: must be root to change the name"; fi
if [ "$NB_UID" != "$JOVYAN_UID" ] && [ "$NB_UID" != "$(id -u)" ]; then echo "WARNING: must be root to change the uid"; fi
if [ "$NB_GID" != "$JOVYAN_GID" ] && [ "$NB_GID" != "$(id -g)" ]; then echo "WARNING: must be root to change the gid"; fi
for hook in /usr/local/bin/before-notebook.d/*.sh; do . "$hook"; done
exec "$@"
