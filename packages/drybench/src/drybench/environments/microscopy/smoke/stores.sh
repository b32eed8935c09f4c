set -eu
cd "$(mktemp -d)"
mkdir from && echo data > from/file
rclone --config /dev/null copy from to
test "$(cat to/file)" = data
gsutil version
