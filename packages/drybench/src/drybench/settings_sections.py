"""The sections of drybench.toml: every key with its type, its default and what it means.

The reference page in the docs is made from these descriptions.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Network
from typing import Annotated, Any, ClassVar, Literal, cast
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from drybench.quantities import Bytes, Gpus, Seconds

ModuleName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")]


def _some_or_all(said: object) -> object:
    if said in ("auto", "none"):
        return said
    if isinstance(said, list):
        return tuple(str(one) for one in cast("list[object]", said))
    raise ValueError('should be "auto", "none" or a list such as ["0", "GPU-5d6f…"]')


GpusToGive = Annotated[Literal["auto", "none"] | tuple[str, ...], BeforeValidator(_some_or_all)]


class Section(BaseModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True)


class Bench(Section):
    """Where the bench is reached and whose it is."""

    listen: str = Field(
        default="127.0.0.1", description="The network address it listens on; `0.0.0.0` is every interface."
    )
    port: int = Field(default=0, ge=0, le=65535, description="The public port. 0: chosen at the first start and kept.")
    address: str = Field(
        default="", description="What people type, such as `https://bench.example`. Empty: made from the port."
    )
    own_host_names: bool = Field(
        default=False,
        description="Give each person's sessions a host name of their own, such as `ada.bench.example` (needs wildcard "
        "DNS and, with TLS, a wildcard certificate). A bench for several people needs it.",
    )
    people_share_one_host_name: bool = Field(
        default=False,
        description="Let several people in although they have no host names of their own. A page in one person's "
        "session can then do whatever the person who looks at it can do.",
    )
    owner: str = Field(
        default="", description="Whom the one-time link signs in. Empty: the account that started the bench."
    )

    @field_validator("address")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/")):
            raise ValueError("should be like https://bench.example, with no path")
        return value.rstrip("/")


class Tls(Section):
    """The certificate that the bench shows: two PEM files."""

    certificate: str = Field(default="", description="The certificate with its chain.")
    key: str = Field(default="", description="Its private key.")

    @model_validator(mode="after")
    def _both_or_neither(self) -> Tls:
        if bool(self.certificate) != bool(self.key):
            raise ValueError("needs both `certificate` and `key`")
        return self


class Database(Section):
    """Where the ledger lies."""

    url: str = Field(
        default="", description="`postgresql+psycopg://…` for PostgreSQL. Empty: a SQLite file in the data directory."
    )


class Hub(Section):
    """Who may sign in: any of JupyterHub's authenticators."""

    authenticator: str = Field(
        default="one-person",
        description="`one-person`, an authenticator's entry point such as `pam`, or `module.Class`.",
    )
    traits: dict[str, dict[str, Any]] = Field(
        default_factory=dict[str, dict[str, Any]],
        description="The authenticator's own settings: `[hub.traits.CLASS]` and below it `trait = value`.",
    )


class SizeSettings(Section):
    """How much a session or a run may use. The size named `default` is always there."""

    title: str = Field(default="", description="What people read. Empty: the size's name.")
    cores: float = Field(default=1, gt=0, description="Processor cores.")
    memory: Bytes = Field(default=3 << 29, gt=0, description="Memory. What grows beyond it is ended.")
    gpus: Gpus = Field(
        default=(),
        description='Graphics processors: how many, or the least memory of each, such as `["24 GB", "any"]`.',
    )


class LocalEngine(Section):
    """The engine that works on this machine, under the bench's own account."""

    cores: float = Field(default=0, ge=0, description="Cores it may give away. 0: all.")
    memory: Bytes = Field(
        default=0, ge=0, description="Memory it may give away. 0: all but what the machine needs itself."
    )
    people_trust_each_other: bool = Field(
        default=False,
        description="Serve several people, each of whom can then read and change everything of the others.",
    )
    gpus: GpusToGive = Field(
        default="auto",
        description="The NVIDIA GPUs that it gives to tasks: `auto` is all, a list names some by number or UUID. "
        "`none`: it gives none and hides none, so that every task sees them all.",
    )


class DockerEngine(Section):
    """The engine that works in containers on this machine, by Docker or Podman."""

    use: Literal["auto", "always", "never"] = Field(
        default="auto",
        description="`auto`: where Docker answers and the bench may use it. `always`: it does not come up without.",
    )
    socket: str = Field(
        default="",
        description="Where it answers, such as `unix:///run/user/1000/podman/podman.sock`. Empty: DOCKER_HOST, else "
        "Docker's or Podman's usual socket.",
    )
    cores: float = Field(default=0, ge=0, description="Cores it may give away. 0: all.")
    memory: Bytes = Field(
        default=0, ge=0, description="Memory it may give away. 0: all but what the machine needs itself."
    )
    keep_stopped: Seconds = Field(
        default=24 * 3600,
        ge=0,
        description="How long a container that has ended is kept when something outside the home was changed in it. "
        "0: not at all.",
    )
    subnet: str = Field(
        default="",
        description="The addresses of the network that its containers are on, such as `10.77.0.0/16`. Empty: Docker "
        "chooses some that the machine does not use.",
    )
    may_not_reach: list[str] = Field(
        default_factory=list[str],
        description="Networks and addresses that tasks may not reach, such as `10.1.0.0/16`. One another, this machine "
        "and the metadata address of a cloud they never reach.",
    )
    without_firewall: bool = Field(
        default=False,
        description="Start containers also where the rules that keep them from this machine cannot be set.",
    )
    gpus: GpusToGive = Field(default="auto", description="As for the local engine.")

    @field_validator("subnet")
    @classmethod
    def _is_a_network(cls, value: str) -> str:
        if value:
            _network(value, "10.77.0.0/16")
        return value

    @field_validator("may_not_reach")
    @classmethod
    def _are_networks(cls, value: list[str]) -> list[str]:
        for one in value:
            _network(one, "10.1.0.0/16, or an address")
        return value


class Engines(Section):
    """Where tasks run."""

    local: LocalEngine = LocalEngine()
    docker: DockerEngine = DockerEngine()


class Environments(Section):
    """What is installed where sessions and runs work, beside what comes with Drybench."""

    folders: list[str] = Field(
        default_factory=list[str],
        description="Folders with environments of your own: in each of them one folder for each environment, with its "
        "`environment.toml`. `environments/own` in the data directory is always looked into.",
    )

    @field_validator("folders")
    @classmethod
    def _are_whole_paths(cls, value: list[str]) -> list[str]:
        return _whole_paths(value)


class Images(Section):
    """How the images of environments are built, and where they are shared."""

    extra_ca: str = Field(
        default="",
        description="A file of certificates (PEM) that builds, and sessions and runs in containers, trust beside the "
        "usual ones, where the way to package servers leads through a proxy of your institute. It does not stay in an "
        "image.",
    )
    wheels: str = Field(
        default="", description="A folder of Python wheels that a build may take as well, such as a PyTorch for CPUs."
    )
    registry: str = Field(
        default="",
        description="Where built images are shared, such as `registry.lab.example/drybench`: `drybench images pull` "
        "gets them from there instead of building them.",
    )
    build_args: dict[str, str] = Field(
        default_factory=dict[str, str],
        description='Arguments for Dockerfiles: `[images.build_args]` and below it `NAME = "value"`. Each build gets '
        "those that its Dockerfile declares; what people bring gets none.",
    )
    builds_at_once: int = Field(
        default=1, ge=1, le=100, description="So many images are built at a time. Other builds wait in line."
    )
    build_memory: Bytes = Field(
        default=0, ge=0, description="Memory that the steps of a build may use. 0: half of the machine's, or 2 GiB."
    )
    allow_by_name: bool = Field(
        default=False, description="Let people bring any image by its name, also in a Dockerfile of their own."
    )
    people_build: bool = Field(
        default=False,
        description="Let people build what they bring. Otherwise the keeper presses Build. A build runs what its files "
        "say, in a container of its own.",
    )
    repositories: list[Literal["https", "http", "ssh", "git"]] = Field(
        default=["https"], description="The transports by which a git repository that somebody names is fetched."
    )
    may_reach: list[str] = Field(
        default_factory=list[str],
        description="Hosts, addresses and networks inside your own network that repositories may be fetched from, such "
        "as `gitlab.lab.example` or `10.1.0.0/16`.",
    )

    @field_validator("extra_ca", "wheels")
    @classmethod
    def _is_a_whole_path(cls, value: str) -> str:
        return _whole_paths([value])[0] if value else value

    @field_validator("registry")
    @classmethod
    def _is_a_registry(cls, value: str) -> str:
        if value and not re.fullmatch(r"[A-Za-z0-9.-]+(:\d+)?(/[a-z0-9._-]+)*", value.rstrip("/")):
            raise ValueError("should be like registry.lab.example/drybench, without https://")
        return value.rstrip("/")


class DesktopLink(Section):
    """An address that lies on every desktop."""

    title: str = Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f/]*$", description="What people read.")
    url: str = Field(max_length=2000, pattern=r"^https?://[!-~]+$", description="Where it leads, with `https://`.")


class Desktop(Section):
    """How desktops in containers look, until a person changes their own."""

    background: str = Field(
        default="",
        description="A picture on this machine (PNG, JPEG, SVG) that everybody may read, such as "
        "`/srv/lab/background.png`. Empty: Drybench's own.",
    )
    links: list[DesktopLink] = Field(
        default_factory=list[DesktopLink], max_length=50, description="Addresses that lie on every desktop."
    )

    @field_validator("background")
    @classmethod
    def _is_a_whole_path(cls, value: str) -> str:
        return _whole_paths([value])[0] if value else value


class Runs(Section):
    """Notebooks that run by themselves."""

    notebook_limit: Bytes = Field(default=100 * 10**6, gt=0, description="The largest notebook that is taken.")
    timeout: Seconds = Field(
        default=0, ge=0, description="The longest a run may take unless it says so itself. 0: no limit."
    )
    requirements_from_anywhere: bool = Field(
        default=False,
        description="Let a run's requirements.txt name indexes, addresses and folders (`--index-url`, `-e`, URLs).",
    )
    keep_days: int = Field(
        default=0,
        ge=0,
        le=36500,
        description="Runs are removed so many days after their end, unless they are starred. 0: never.",
    )
    hold_most: Seconds = Field(
        default=4 * 3600, ge=0, description="The longest that the kernel of a failed run may be kept. 0: never."
    )
    sweep_most: int = Field(default=2000, ge=1, le=1_000_000, description="The most runs that one sweep may have.")


class Ready(Section):
    """What is started ahead of a person's next run or session, so that it begins at once."""

    most: int = Field(default=2, ge=0, le=100, description="How many at a time, for all people together. 0: none.")
    minutes: float = Field(default=10, gt=0, description="How long after a person's last run of the same kind.")
    sessions: bool = Field(
        default=True,
        description="When somebody signs in, start the session that they used last, where nobody waits and there is "
        "room for it.",
    )
    session_minutes: float = Field(default=10, gt=0, description="How long such a session stays when it is not opened.")
    preload: dict[str, list[ModuleName]] = Field(
        default_factory=dict[str, list[ModuleName]],
        description="What kernels that stand ready have imported, by the environment's name: `[ready.preload]` and "
        'below it `python = ["numpy", "pandas"]`. It takes the place of what its `environment.toml` says.',
    )
    pool: dict[str, Annotated[int, Field(ge=0, le=100)]] = Field(
        default_factory=dict[str, int],
        description="How many sessions of an environment stand ready for whoever comes first: `[ready.pool]` and below "
        'it `napari = 2`. In containers, and only where all their tasks have one number (`[accounts] of = "shared"`).',
    )


class Mail(Section):
    """The mail server through which people are told how their runs ended."""

    server: str = Field(default="", description="Its host name. Empty: this bench sends no mail.")
    port: int = Field(default=587, ge=1, le=65535, description="Its port.")
    tls: Literal["starttls", "tls", "none"] = Field(
        default="starttls",
        description="`starttls` (usual on port 587), `tls` (from the first byte, port 465) or `none`.",
    )
    sender: str = Field(default="", description="The address that the mails come from, such as `bench@lab.example`.")
    user: str = Field(default="", description="The name to log in with. Empty: it does not log in.")
    password_file: str = Field(default="", description="The file that holds the password, readable by you only.")
    domains: list[str] = Field(
        default_factory=list[str],
        description="Mail goes to these domains only, such as `lab.example`. Empty: to any address.",
    )

    @model_validator(mode="after")
    def _has_a_sender(self) -> Mail:
        if self.server and "@" not in self.sender:
            raise ValueError("needs `sender`, the address that the mails come from")
        return self


class Sharing(Section):
    """Whom people may show their desktops to."""

    teachers: dict[str, list[str]] = Field(
        default_factory=dict[str, list[str]],
        description='Who teaches a group, such as `teachers = { course = ["anna"] }`. Those in the group may show them '
        "their desktops, which they see side by side, and so does the keeper.",
    )


class Notices(Section):
    """How people are told."""

    may_reach: list[str] = Field(
        default_factory=list[str],
        description="Hosts, addresses and networks inside your own network that webhooks may go to, such as "
        "`chat.lab.example` or `10.1.0.0/16`. Everything else there is refused, and this machine too.",
    )


def _whole_paths(value: list[str]) -> list[str]:
    if any(not path.startswith("/") for path in value):
        raise ValueError("should be whole paths, such as /data")
    return value


def _network(value: str, like: str) -> None:
    try:
        IPv4Network(value)
    except ValueError:
        raise ValueError(f"should be a network of IPv4, such as {like}") from None
