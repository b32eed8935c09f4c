# What is in the image: nothing that everybody may write but folders for it, bytecode, and nothing of its build.
set -eu
open=$(find / -xdev -perm -0002 ! -type l ! -perm -1000 -not -path '/proc/*' -not -path '/dev/*' 2> /dev/null || true)
test -z "$open" || { echo "everybody may write: $open"; exit 1; }
test -z "${PYTHONDONTWRITEBYTECODE:-}"
python - <<'PYTHON'
import importlib.util, pathlib
for name in ("jupyterlab", "jupyterhub", "drybench_runner", "drybench_client", "drybench_session"):
    source = pathlib.Path(importlib.util.find_spec(name).origin)
    assert pathlib.Path(importlib.util.cache_from_source(str(source))).exists(), f"{name} has no bytecode"
PYTHON
test ! -e /build
test -z "$(ls -A /var/lib/apt/lists)"
env | grep -qiE '_(proxy|cert|ca_bundle|index_url)=|^(SSL_CERT|PIP_|UV_)' && { echo "of the build: $(env)"; exit 1; }
exit 0
