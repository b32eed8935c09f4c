"""What is imported may keep the home that it sees. Ahead it sees one that is nobody's; later that becomes somebody's.

Looked for where it was found to be: in the names of modules (where the trash lies) and in the defaults of classes with
traits (where JupyterLab's settings lie). `tests/integration/test_ready_session.py` looks at everything in memory.
"""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

from traitlets import HasTraits, TraitType

NOBODYS = "/drybench/nobody"

Place = tuple[MutableMapping[str, Any], str]


def kept() -> list[Place]:
    """Where it is, after all that was imported."""
    return [(names, name) for names in _all_names() for name, value in list(names.items()) if _names_it(value)]


def move(places: list[Place], home: Path) -> None:
    """As if everything had been imported there."""
    for names, name in places:
        names[name] = _moved(names[name], home)
    began = str(Path.cwd())
    os.chdir(home)
    sys.path[:] = [str(home) if place == began else place for place in sys.path]
    site.USER_BASE = site.USER_SITE = None
    sysconfig.get_config_vars()["userbase"] = site.getuserbase()
    if site.ENABLE_USER_SITE:
        site.addusersitepackages(None)


def _all_names() -> Iterator[MutableMapping[str, Any]]:
    for module in list(sys.modules.values()):
        yield vars(module)
    for kind in _below(HasTraits):
        yield getattr(kind, "_static_immutable_initial_values", {})
        yield from (vars(trait) for trait in vars(kind).values() if isinstance(trait, TraitType))


def _below(kind: type) -> Iterator[type]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)


def _names_it(value: Any) -> bool:
    """The name itself, where it was imported, is none of these."""
    if isinstance(value, bytes):
        return NOBODYS.encode() in value
    return isinstance(value, (str, Path)) and value is not NOBODYS and NOBODYS in str(value)


def _moved(value: Any, home: Path) -> Any:
    if isinstance(value, bytes):
        return value.replace(NOBODYS.encode(), os.fsencode(home))
    return type(value)(str(value).replace(NOBODYS, str(home)))
