"""From a task to what Docker is asked to make. Pure.

Safe by default: the person's own uid, no way to more rights, nothing of Docker inside, bounded in everything.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any, cast

from drybench.engines.docker_connection import SOCKETS, part
from drybench.errors import MountNotAllowed, NotAsRoot, ProgramMissing
from drybench.model import READY, RUN, SESSION, Account, Mount, Task
from drybench.planning import RUNS_INSIDE

CERTIFICATES = Path("/drybench/certificates.pem")
TRUST = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT", "GIT_SSL_CAINFO")
INSIDE = Path("/drybench/task")  # DRYBENCH_TASK_DIR
RUNNER = Path("/drybench/runner")
ENV_FILE = "env"
NAME, KEPT = "drybench-", "drybench-kept-"
BENCH_LABEL, TASK_LABEL, KIND_LABEL = "org.drybench.bench", "org.drybench.task", "org.drybench.kind"
PROCESSES = 4096
LOG_FILES, LOG_FILE_SIZE = 2, "8m"  # with one file all would go when it is full
LEAST_SHARES = 2
NANO = 1_000_000_000
RESERVED = ("root", "daemon", "nobody")
NB = ("NB_USER", "NB_UID", "NB_GID")
ZONE = "TZ"
ACCOUNT = re.compile(r"[a-z_][a-z0-9_.-]{0,31}:[1-9][0-9]{0,9}:[0-9]{1,10}")

# What comes with the start may be tokens. As variables of the container everybody who may ask Docker could read them
# for ever (`docker inspect`), and so could whoever reads the environment of its first process. So they come in a file
# that only this account can open, and are gone from it before the command begins. The command itself has them as
# variables, since it is by variables that it looks for them: its own account can read those, as everywhere.
FIRST_STEP = """
if [ -f {file} ]; then set -a; . {file}; set +a; rm -f {file}; fi
if [ "$1" = python ] && ! command -v python >/dev/null 2>&1 && command -v python3 >/dev/null 2>&1; then
    shift; set -- python3 "$@"
fi
if [ -d {runner} ]; then export PYTHONPATH="${{PYTHONPATH:+$PYTHONPATH:}}{runner}"; fi
if ! command -v "$1" >/dev/null 2>&1; then echo {missing} >&2; exit 127; fi
exec "$@"
"""


@dataclass(frozen=True)
class Place:
    """What the engine knows beside the task."""

    bench_id: str
    folder: Path  # the task's own, on the host
    account: Account
    home: str
    network: str | None = None
    runner: Path | None = None  # carried in
    certificates: Path | None = None  # to be trusted; None: as its image does
    claims_from: int = 0  # the portal's uid
    slot: Path | None = None  # where, on the host, its work will be shown to one that stands ready
    stacks: Mapping[str, str] = field(default_factory=dict[str, str])  # what `of_stacks` says of its image
    zone: str | None = None  # of the host; None: as its image has it


def account_of(task: Task, portal: Account) -> Account:
    account = task.account or portal
    if 0 in (account.uid, account.gid, *account.groups):
        raise NotAsRoot()
    return account


def home_of(task: Task) -> str:
    return str(task.home or task.env.get("HOME") or "/tmp")


def check_mounts(mounts: Sequence[Mount], sockets: Sequence[str]) -> None:
    """Who reaches Docker's socket is root on this machine."""
    for mount in mounts:
        for socket in (*SOCKETS, *sockets):
            if PurePath(socket).is_relative_to(mount.source):
                raise MountNotAllowed(source=mount.source)


def body(task: Task, place: Place) -> dict[str, Any]:
    """For `POST /containers/create`."""
    first = ["/bin/sh", "-c", _first_step(task), "drybench"]
    kept = {"Cmd": [*first, *task.command]}
    return {
        "Image": task.image,
        **(kept if task.entrypoint else {"Entrypoint": first, "Cmd": list(task.command)}),
        "User": f"{place.account.uid}:{place.account.gid}",
        "WorkingDir": str(task.workdir or (INSIDE if task.kind == READY else place.home)),
        "Env": [f"{name}={value}" for name, value in _variables(task, place).items()],
        "Labels": {BENCH_LABEL: place.bench_id, TASK_LABEL: task.id, KIND_LABEL: _kind(task)},
        "StopSignal": "SIGTERM",
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": _host(task, place),
    }


def given_with_a_claim(task: Task) -> dict[str, str]:
    """What one that stands ready for anybody does not have from its start: whose it is."""
    return _whose(task, home_of(task)) if task.kind == SESSION else {}


def limits(task: Task) -> dict[str, Any]:
    """No swap beside the memory. A session's cores are a weight only, so that a free machine is theirs.

    Also for `POST /containers/ID/update`, which takes no limit away: a ready task gets its own with its work.
    """
    return {
        "Memory": task.memory,
        "MemorySwap": task.memory,
        "CpuShares": max(LEAST_SHARES, round(1024 * task.cores)),
        "NanoCpus": math.ceil(task.cores * NANO) if task.kind == RUN else 0,
    }


def mounts_of(mounts: Sequence[Mount]) -> list[dict[str, Any]]:
    return [
        {"Type": "bind", "Source": str(mount.source), "Target": str(mount.target), "ReadOnly": mount.read_only}
        for mount in mounts
    ]


def of_stacks(image: Mapping[str, Any]) -> Mapping[str, str]:
    """What an image in the manner of Jupyter's docker-stacks says of its own account."""
    found = _variables_of(image)
    return {name: found[name] for name in NB if found.get("NB_USER") and name in found}


def has_a_zone(image: Mapping[str, Any]) -> bool:
    """Whoever made it has chosen one."""
    return bool(_variables_of(image).get(ZONE))


def login(person: str) -> str:
    """The person's name as a name of an account: no line of passwd is broken by it."""
    name = re.sub(r"[^a-z0-9_.-]", "_", person.lower()).strip("-.")[:32] or "person"
    return f"{name}_" if name in RESERVED else name


def passwd(task: Task, place: Place) -> str:
    """Many programs want a name for the uid that they run as."""
    name = login(task.person)
    return (
        "root:x:0:0:root:/root:/bin/sh\n"
        f"{name}:x:{place.account.uid}:{place.account.gid}:{name}:{_line(place.home)}:/bin/sh\n"
        f"{_stacks_account(place.stacks, name)}"
        "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
    )


def group(task: Task, place: Place) -> str:
    name = login(task.person)
    own = [place.account.gid, *place.account.groups]
    lines = [f"{name if gid == own[0] else f'group{gid}'}:x:{gid}:{name}\n" for gid in dict.fromkeys(own)]
    return f"root:x:0:\n{''.join(lines)}nogroup:x:65534:\n"


def env_file(env: Mapping[str, str]) -> str:
    """For the first step. A shell can set no variable of another name."""
    return "".join(
        f"{name}={shlex.quote(value)}\n" for name, value in env.items() if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name)
    )


def name_of(id: str) -> str:
    return f"{NAME}{id}"


def _first_step(task: Task) -> str:
    missing = str(ProgramMissing(image=task.image, program=task.command[0] if task.command else ""))
    return FIRST_STEP.format(file=INSIDE / ENV_FILE, runner=RUNNER, missing=shlex.quote(missing))


def _variables_of(image: Mapping[str, Any]) -> dict[str, str]:
    said = cast("Sequence[str]", part(image, "Config").get("Env") or ())
    return {name: value for name, _, value in (one.partition("=") for one in said)}


def _kind(task: Task) -> str:
    """How its end will be judged: labels cannot change."""
    return task.becomes if task.kind == READY else task.kind


def _whose(task: Task, home: str) -> dict[str, str]:
    name = login(task.person)
    return {"HOME": home, "USER": name, "LOGNAME": name, "DRYBENCH_TASK": task.id}


def _variables(task: Task, place: Place) -> dict[str, str]:
    return {
        **(dict.fromkeys(TRUST, str(CERTIFICATES)) if place.certificates else {}),
        **({ZONE: place.zone} if place.zone else {}),
        **task.env,
        **_whose(task, place.home),
        "DRYBENCH_TASK_DIR": str(INSIDE),
        "DRYBENCH_PORTAL_UID": str(place.claims_from),
        **_stacks_variables(task, place),
        **_gpu_variables(task.gpus),
    }


def _gpu_variables(gpus: Sequence[str]) -> dict[str, str]:
    """An image may ask for all GPUs by a variable of its own, and some machines then give them.

    Inside, GPUs are numbered anew; only a name that means the same one everywhere can be said to CUDA.
    """
    seen = {"NVIDIA_VISIBLE_DEVICES": ",".join(gpus) or "void"}
    if not gpus:
        return {**seen, "CUDA_VISIBLE_DEVICES": ""}
    named = {"CUDA_VISIBLE_DEVICES": ",".join(gpus)} if all(id.startswith(("GPU-", "MIG-")) for id in gpus) else {}
    return {**seen, "CUDA_DEVICE_ORDER": "PCI_BUS_ID", **named}


def _host(task: Task, place: Place) -> dict[str, Any]:
    gpus = [{"Driver": "nvidia", "DeviceIDs": list(task.gpus), "Capabilities": [["gpu"]]}] if task.gpus else []
    return {
        **limits(task),
        "Mounts": [*mounts_of(list(_mounts(task, place))), *_slot(task, place)],
        "GroupAdd": [str(gid) for gid in place.account.groups],
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "PidsLimit": PROCESSES,
        "Tmpfs": {"/tmp": "rw,exec,nosuid,nodev,mode=1777"},  # counts as the task's memory
        "ShmSize": task.memory // 2,
        "Init": True,
        "DeviceRequests": gpus,
        "LogConfig": {
            "Type": "json-file",
            "Config": {"max-size": LOG_FILE_SIZE, "max-file": str(LOG_FILES)},
        },
        **({"NetworkMode": place.network} if place.network else {}),
    }


def _mounts(task: Task, place: Place) -> Iterator[Mount]:
    yield from task.mounts
    yield Mount(place.folder / "own", INSIDE)
    yield Mount(place.folder / "passwd", Path("/etc/passwd"), read_only=True)
    yield Mount(place.folder / "group", Path("/etc/group"), read_only=True)
    if place.runner is not None:
        yield Mount(place.runner, RUNNER, read_only=True)
    if place.certificates is not None:
        yield Mount(place.certificates, CERTIFICATES, read_only=True)


def _slot(task: Task, place: Place) -> list[dict[str, Any]]:
    """Nothing can be written there but in what is shown below: it is the portal's, which is root."""
    if place.slot is None:
        return []
    slots = mounts_of([Mount(place.slot, _slot_inside(task))])
    return [{**slot, "BindOptions": {"Propagation": "rslave"}} for slot in slots]


def _slot_inside(task: Task) -> Path:
    """What becomes somebody's session has its home there where the homes are to appear."""
    return task.home if task.becomes == SESSION and task.home else RUNS_INSIDE


def _stacks_account(said: Mapping[str, str], name: str) -> str:
    """Its `start.sh` looks itself up, and ends without a word where it finds nobody."""
    user, uid, gid = said.get("NB_USER", ""), said.get("NB_UID", "1000"), said.get("NB_GID", "100")
    if user in ("", name, *RESERVED) or not ACCOUNT.fullmatch(f"{user}:{uid}:{gid}"):
        return ""
    return f"{user}:x:{uid}:{gid}:{user}:/home/{user}:/bin/bash\n"


def _stacks_variables(task: Task, place: Place) -> dict[str, str]:
    """For whom it is there. As the account that it is started with already, it changes nothing."""
    known = {"NB_USER": login(task.person), "NB_UID": str(place.account.uid), "NB_GID": str(place.account.gid)}
    return known if place.stacks else {}


def _line(text: str) -> str:
    return re.sub(r"[:\x00-\x1f]", "_", text)
