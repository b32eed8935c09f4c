# gvfs has what opens each of them; whether a server answers is not the image's.
set -eu
schemes=$(dbus-run-session -- sh -c '/usr/libexec/gvfsd & sleep 1; gio info sftp://127.0.0.1/ 2>&1; gio info smb://127.0.0.1/ 2>&1; kill $!' || true)
case "$schemes" in *"not supported"*) echo "$schemes"; exit 1 ;; esac
for backend in sftp smb; do test -x "/usr/libexec/gvfsd-$backend"; done
