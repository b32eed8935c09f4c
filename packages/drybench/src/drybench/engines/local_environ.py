"""The environment variables of a local task, made anew: nothing of the bench's own gets in."""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping
from pathlib import Path

from drybench.engines.local_folder import TaskFolder
from drybench.engines.local_overlay import overlay_variables
from drybench.model import Task

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# the machine's and the person's own, not the bench's: language, the way to the internet, package indexes
PASSED_ON = (
    *("LANG", "LANGUAGE", "TZ", "SHELL"),
    *("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
    *("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "PIP_CERT", "UV_DEFAULT_INDEX", "UV_INDEX"),
    *("UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_OFFLINE", "UV_INSECURE_HOST", "UV_SYSTEM_CERTS"),
)
NEVER = ("PYTHONHOME", "PYTHONPATH", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "VIRTUAL_ENV")


def environ(
    task: Task, env: Mapping[str, str], folder: TaskFolder, home: Path, has_gpus: bool = False
) -> dict[str, str]:
    """What the machine has, what was asked for, and above both what makes the task's place its own.

    GPUs that the engine gives out are seen only by whom they were given to.
    """
    asked = {name: value for name, value in {**task.env, **env}.items() if name not in NEVER}
    gpus = {"CUDA_VISIBLE_DEVICES": ",".join(task.gpus)} if has_gpus else {}
    return {"LANG": "C.UTF-8", **_of_the_machine(), **asked, **_own(task, folder, home), **gpus}


def _of_the_machine() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in PASSED_ON or name.startswith("LC_")}


def _own(task: Task, folder: TaskFolder, home: Path) -> dict[str, str]:
    user = getpass.getuser()
    own = {
        "PATH": SYSTEM_PATH,
        "HOME": str(home),
        "USER": user,
        "LOGNAME": user,
        "DRYBENCH_TASK": task.id,
        "DRYBENCH_TASK_DIR": str(folder.own),
    }
    if task.python is not None:
        own |= overlay_variables(folder.overlay, task.python)
        own["PATH"] = f"{folder.overlay}/bin:{task.python}/bin:{SYSTEM_PATH}"
    return own
