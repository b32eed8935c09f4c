"""traefik's own files: where it listens, and what goes to the portal.

The Hub writes the routes of sessions and its own (`rules/hub.toml`); a rule's priority is by default its
length, so those come before ours where ours have a small one.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from urllib.parse import urlsplit

from drybench.addresses import Addresses
from drybench.data_folder import DataFolder
from drybench.settings import Settings

ENTRY, DOOR = "public", "tasks"
BEFORE_ALL = 1_000_000  # a rule's priority: no route of the Hub is as long
USER = "drybench"


def write_proxy_files(data: DataFolder, addresses: Addresses, settings: Settings, password: str) -> None:
    """Before traefik starts; while it runs a change of the rules is taken up at once."""
    _write(data.proxy / "traefik.toml", static_file(data, addresses, settings))
    _write(data.proxy / "rules" / "drybench.toml", rules_file(addresses, settings, password))


def static_file(data: DataFolder, addresses: Addresses, settings: Settings) -> str:
    """Headers that say who forwarded what are believed from nobody, which is traefik's own default."""
    return f"""\
[global]
checkNewVersion = false
sendAnonymousUsage = false

[log]
level = "WARN"

[api]
dashboard = false

[providers]
providersThrottleDuration = "0s"

[providers.file]
directory = {_quoted(data.proxy / "rules")}
watch = true

[entryPoints.api]
address = "127.0.0.1:{addresses.proxy_api_port}"
http.aliasHeadersStrategy = "delete"

[entryPoints.{ENTRY}]
address = {_quoted(f"{_bracketed(addresses.listen)}:{addresses.port}")}
http.aliasHeadersStrategy = "delete"  # X_Forwarded_For is not to pass for X-Forwarded-For
http.encodedCharacters = {{ allowEncodedBackSlash = false, allowEncodedNullCharacter = false }}
{"http.tls.options = 'default'" if settings.tls.certificate else ""}

{_patience(ENTRY)}
{_door(addresses) if addresses.tasks_door else ""}"""


def rules_file(addresses: Addresses, settings: Settings, password: str) -> str:
    return "\n".join(
        (_api(password), _own_host_names(addresses) if addresses.own_host_names else _one_host(addresses))
        + ((_certificate(settings),) if settings.tls.certificate else ())
        + ((_for_tasks(addresses), _no_tasks(addresses)) if addresses.tasks_door else ())
    )


def _patience(entry: str) -> str:
    return f"""\
[entryPoints.{entry}.transport.lifeCycle]
graceTimeOut = "1s"

[entryPoints.{entry}.transport.respondingTimeouts]
readTimeout = "1h"  # for a large notebook on a slow line
"""


def _door(addresses: Addresses) -> str:
    """On the bridge of the tasks' network, which is there before traefik starts."""
    return f"""\
[entryPoints.{DOOR}]
address = {_quoted(urlsplit(addresses.tasks_door).netloc)}
http.aliasHeadersStrategy = "delete"
http.encodedCharacters = {{ allowEncodedBackSlash = false, allowEncodedNullCharacter = false }}

{_patience(DOOR)}"""


def _api(password: str) -> str:
    """A digest without rounds will do: the password is 32 random bytes, and the Hub asks often."""
    digest = base64.b64encode(hashlib.sha1(password.encode(), usedforsecurity=False).digest()).decode()
    return f"""\
[http.routers.api]
rule = 'PathPrefix(`/api`)'
entryPoints = ["api"]
service = "api@internal"
middlewares = ["only-the-hub"]

[http.middlewares.only-the-hub.basicAuth]
users = ["{USER}:{{SHA}}{digest}"]
"""


def _one_host(addresses: Addresses) -> str:
    """Pages opened under another name go to the bench's own, for names share no cookies.

    Only what a person opens: a program that came by 127.0.0.1 gets its answer there.
    """
    a_page = "Method(`GET`) && HeaderRegexp(`Accept`, `text/html`)"
    return _portal("PathPrefix(`/`)", addresses) + _to_main(f"!Host(`{addresses.host}`) && {a_page}", 10_000, addresses)


def _own_host_names(addresses: Addresses) -> str:
    """On other hosts there are running sessions and nothing else of ours."""
    main = f"Host(`{addresses.host}`)"
    return _portal(f"{main} && PathPrefix(`/`)", addresses) + _to_main("PathPrefix(`/`)", 1, addresses)


def _portal(rule: str, addresses: Addresses) -> str:
    return f"""
[http.routers.portal]
rule = '{rule}'
priority = 2
entryPoints = ["{ENTRY}"]
service = "portal"

[[http.services.portal.loadBalancer.servers]]
url = "{addresses.portal}"
"""


def _to_main(rule: str, priority: int, addresses: Addresses) -> str:
    return f"""
[http.routers.to-main]
rule = '{rule}'
priority = {priority}
entryPoints = ["{ENTRY}"]
service = "noop@internal"
middlewares = ["to-main"]

[http.middlewares.to-main.redirectRegex]
regex = '^https?://[^/]+/?(.*)$'
replacement = '{addresses.public}/${{1}}'
"""


def _for_tasks(addresses: Addresses) -> str:
    """The two APIs and nothing else; what no rule names is traefik's 404."""
    hub, portal = addresses.behind_the_door
    return _api_for_tasks("hub", "/hub/api", hub) + _api_for_tasks("portal", "/api/v1", portal)


def _api_for_tasks(part: str, path: str, url: str) -> str:
    return f"""
[http.routers.{DOOR}-{part}]
rule = 'Path(`{path}`) || PathPrefix(`{path}/`)'
entryPoints = ["{DOOR}"]
service = "{DOOR}-{part}"

[[http.services.{DOOR}-{part}.loadBalancer.servers]]
url = "{url}"
"""


def _no_tasks(addresses: Addresses) -> str:
    """Where the public entry listens on the bridge too, it is no second door but a 403."""
    return f"""
[http.routers.no-{DOOR}]
rule = 'ClientIP(`{addresses.tasks_subnet}`)'
priority = {BEFORE_ALL}
entryPoints = ["{ENTRY}"]
service = "noop@internal"
middlewares = ["no-{DOOR}"]

[http.middlewares.no-{DOOR}.ipAllowList]
sourceRange = ["127.0.0.1/32"]
"""


def _certificate(settings: Settings) -> str:
    return f"""
[tls.stores.default.defaultCertificate]
certFile = {_quoted(settings.tls.certificate)}
keyFile = {_quoted(settings.tls.key)}
"""


def _bracketed(listen: str) -> str:
    return f"[{listen}]" if ":" in listen else listen


def _quoted(text: str | Path) -> str:
    """JSON's strings are TOML's too."""
    return json.dumps(str(text), ensure_ascii=False)


def _write(file: Path, text: str) -> None:
    """By rename, so that traefik never reads half of one."""
    new = file.with_name(f".{file.name}.new")
    new.touch(mode=0o600)
    new.write_text(text)
    new.replace(file)
