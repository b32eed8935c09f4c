"""JupyterHub's whole configuration, made from the settings, the addresses and the data folder.

The Hub is started and killed at any moment while sessions go on; most lines here are for that.
"""

# pyright: standard

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyterhub_traefik_proxy.fileprovider import TraefikFileProviderProxy
from traitlets.config import Config

from drybench import proxying, settings
from drybench.addresses import Addresses, host_label
from drybench.data_folder import DataFolder
from drybench.hub.identity import CLIENT, redirect_uri
from drybench.hub.signing_in import ticketed
from drybench.hub.spawner import LedgerSpawner
from drybench.secret_files import secret
from drybench.settings import Settings

RUNS, ALL = "custom:drybench:runs", "custom:drybench:all"
OF_PORTAL = ["list:users", "read:users:groups", "start:servers", "delete:servers", "read:servers"]
ENTER_PORTAL = "access:services!service=portal"
A_DAY = 24 * 3600
ANSWERS_WITHIN = 0.2  # seconds; then the Hub says "pending", and the ledger knows the rest
Traits = dict[str, dict[str, Any]]


def configure(config: Config) -> None:
    """Fill the Hub's configuration in its own process, which is told its data directory by DRYBENCH_DATA."""
    data = DataFolder.default()
    in_force = settings.load(data)
    addresses = Addresses.load(data.bench)
    token, password = secret(data, "portal_token"), secret(data, "proxy_password")
    secret(data, "cookie_secret")  # the Hub reads the file itself
    for name, traits in hub_traits(data, addresses, in_force, token, password).items():
        config[name].update(traits)


def hub_traits(data: DataFolder, addresses: Addresses, settings: Settings, token: str, password: str) -> Traits:
    """Class by class; what the keeper wrote under [hub.traits] comes first, what must hold is laid over it."""
    ours: Traits = {
        "JupyterHub": {
            **_where(data, addresses),
            **_survives(),
            **_people_and_pages(addresses, settings),
            **_rights(addresses, token),
        },
        "Ticketed": _signing_in(data, addresses, settings),
        "OnePerson": {"allow_all": True, "allowed_users": {settings.owner}},
        "LedgerSpawner": _sessions(data, addresses),
        "TraefikFileProviderProxy": _proxy(data, addresses, password),
    }
    names = settings.hub.traits.keys() | ours.keys()
    return {name: {**settings.hub.traits.get(name, {}), **ours.get(name, {})} for name in names}


def _where(data: DataFolder, addresses: Addresses) -> dict[str, Any]:
    scheme = "https" if addresses.secure else "http"
    where: dict[str, Any] = {
        "bind_url": f"{scheme}://{addresses.listen}:{addresses.port}/",
        "public_url": f"{addresses.public}/",
        "hub_bind_url": f"http://127.0.0.1:{addresses.hub_port}/hub/",
        "hub_routespec": "/hub/",
        "db_url": f"sqlite:///{data.hub_database}",
        "cookie_secret_file": str(data.secrets / "cookie_secret"),
    }
    return {**where, **_own_host_names(addresses)} if addresses.own_host_names else where


def _own_host_names(addresses: Addresses) -> dict[str, Any]:
    """Hub and portal on the main host only, each person's sessions on their own."""
    return {
        "subdomain_host": addresses.public,
        "subdomain_hook": host_of,
        "hub_routespec": f"{addresses.host}/hub/",
        "cookie_host_prefix_enabled": addresses.secure,
    }


def host_of(name: str, domain: str, kind: str) -> str:
    return f"{host_label(name)}.{domain}" if kind == "user" else domain


def _survives() -> dict[str, Any]:
    """Whatever is killed, and in whatever order it comes back, no session is stopped for it."""
    return {
        "cleanup_servers": False,
        "cleanup_proxy": False,
        "init_spawners_timeout": 1,  # one session that hangs would otherwise keep the Hub away
        "concurrent_spawn_limit": 0,  # those who wait, wait in the ledger
        "active_server_limit": 0,
        "upgrade_db": True,
    }


def _people_and_pages(addresses: Addresses, settings: Settings) -> dict[str, Any]:
    return {
        "authenticator_class": ticketed(settings.hub.authenticator),
        "spawner_class": LedgerSpawner,
        "proxy_class": TraefikFileProviderProxy,
        "allow_named_servers": True,
        "default_url": "/",
        "tornado_settings": {
            "cookie_options": {"samesite": "Lax"} | ({"secure": True} if addresses.secure else {}),
            "slow_spawn_timeout": ANSWERS_WITHIN,
            "slow_stop_timeout": ANSWERS_WITHIN,
        },
        "template_paths": [str(Path(__file__).parent / "templates")],
    }


def _rights(addresses: Addresses, token: str) -> dict[str, Any]:
    """A session's token may ask for runs, nothing else; the portal may not act as a person."""
    portal = {
        "name": "portal",
        "api_token": token,
        "oauth_client_id": CLIENT,
        "oauth_redirect_uri": redirect_uri(addresses),
        "oauth_no_confirm": True,
        "oauth_client_allowed_scopes": [ALL],
        "display": False,
    }
    return {
        "services": [portal],
        "custom_scopes": {
            ALL: {"description": "Everything that Drybench offers you", "subscopes": [RUNS]},
            RUNS: {"description": "Ask Drybench for runs and read your own"},
        },
        "load_roles": [
            {"name": "user", "scopes": ["self", ALL, ENTER_PORTAL]},
            {"name": "portal", "scopes": OF_PORTAL, "services": ["portal"]},
        ],
    }


def _signing_in(data: DataFolder, addresses: Addresses, settings: Settings) -> dict[str, Any]:
    return {
        "bench_data": str(data.path),
        "bench_address": addresses.public,
        "bench_owner": settings.owner,
        "bench_is_for_one": not (addresses.own_host_names or settings.bench.people_share_one_host_name),
    }


def _sessions(data: DataFolder, addresses: Addresses) -> dict[str, Any]:
    """The portal knows when a start has come to nothing, so the Hub itself hardly ever gives up."""
    return {
        "portal_socket": str(data.socket),
        "portal_url": addresses.portal,
        "cmd": ["python", "-m", "drybench_runner", "session", "--"],
        "ip": "127.0.0.1",
        "port": 0,
        "env_keep": [],
        "server_token_scopes": ["users:activity!user", "access:servers!server", RUNS],
        "apply_user_options": lambda spawner, options: None,  # its start reads them
        "consecutive_failure_limit": 0,
        "poll_interval": 5,
        "start_timeout": A_DAY,
        "http_timeout": 120,
    }


def _proxy(data: DataFolder, addresses: Addresses, password: str) -> dict[str, Any]:
    """traefik is nobody's child but the supervisor's, and all but the routes is ours (`proxying.py`)."""
    return {
        "should_start": False,
        "enable_setup_dynamic_config": False,
        "dynamic_config_file": str(data.proxy / "rules" / "hub.toml"),
        "traefik_entrypoint": proxying.ENTRY,
        "traefik_api_url": addresses.proxy_api,
        "traefik_api_username": proxying.USER,
        "traefik_api_password": password,
        "traefik_providers_throttle_duration": "0s",
    }
