"""A thin Python environment of this task's own, over the image's, which nobody may write to.

What `%pip` installs goes into it and ends with the task; what the image has is found through it. It is
a venv written by hand, since `python -m venv` takes seconds. See PEP 405 for pyvenv.cfg.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

_THIN = "drybench.pth"  # what makes an environment a thin one
# A script of the image, run by this task's Python; it finds its own place.
_SCRIPT = """#!/bin/sh
exec "${0%/*}/python" '{scripts}'/"${0##*/}" "$@"
"""


def go_on_in_it(words: Sequence[str]) -> None:
    """This very program once more, where it is needed: kernels are started by the Python that a server has itself."""
    own = os.environ.get("DRYBENCH_TASK_DIR")
    if own and _is_needed(Path(own)):
        made = _made(Path(own) / "env")
        os.environ.update(_variables(made))
        python = str(made / "bin" / "python")
        os.execv(python, [python, "-m", "drybench_runner", *words])


def _is_needed(own: Path) -> bool:
    """What is no venv installs into the home by itself."""
    is_a_venv = sys.prefix != sys.base_prefix
    return is_a_venv and not os.access(sysconfig.get_path("purelib"), os.W_OK) and os.access(own, os.W_OK)


def _made(thin: Path) -> Path:
    shared, image = Path(sysconfig.get_path("purelib")), Path(sys.prefix)
    site_packages = thin / shared.relative_to(image)
    site_packages.mkdir(mode=0o700, parents=True, exist_ok=True)
    (thin / "bin").mkdir(exist_ok=True)
    (thin / "pyvenv.cfg").write_text((image / "pyvenv.cfg").read_text())
    # addsitedir, not the bare path: the image's own .pth files count too
    (site_packages / _THIN).write_text(f"import site; site.addsitedir({str(shared)!r})\n")
    script = thin / "bin" / ".script"
    script.write_text(_SCRIPT.replace("{scripts}", str(image / "bin").replace("'", "'\\''")))
    script.chmod(0o700)
    python = (image / "bin" / "python").resolve()
    links = dict.fromkeys(_scripts(image), ".script")
    for name, there in {**links, "python": python, "python3": python, shared.parent.name: python}.items():
        if not (thin / "bin" / name).is_symlink():
            (thin / "bin" / name).symlink_to(there)
    return thin


def _scripts(image: Path) -> Iterator[str]:
    """Those that name the image's Python in their first lines."""
    ours = os.fsencode(image / "bin" / "python")
    for script in (image / "bin").iterdir():
        if script.is_file() and not script.is_symlink():
            with script.open("rb") as file:
                head = file.read(1024)
            if head.startswith(b"#!") and ours in head:
                yield script.name


def _variables(thin: Path) -> Mapping[str, str]:
    """What makes programs use it, and Jupyter find what the image brings."""
    image = Path(sys.prefix)
    places = {"JUPYTER_PATH": image / "share/jupyter", "JUPYTER_CONFIG_PATH": image / "etc/jupyter"}
    lab = image / "share/jupyter/lab"
    return {
        "VIRTUAL_ENV": str(thin),
        "DRYBENCH_PYTHON": str(image),
        "PATH": os.pathsep.join([str(thin / "bin"), os.environ.get("PATH", os.defpath)]),
        **{name: os.pathsep.join(filter(None, [os.environ.get(name), str(place)])) for name, place in places.items()},
        **({"JUPYTERLAB_DIR": os.environ.get("JUPYTERLAB_DIR", str(lab))} if lab.is_dir() else {}),
    }
