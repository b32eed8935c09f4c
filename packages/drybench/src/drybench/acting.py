"""Look at files with somebody else's rights and none of root's.

Rights belong to a thread: the kernel's own calls change those of one, where the C library's change all. The thread is
gone afterwards, so nothing has to be put back.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from drybench.errors import NoFilesHere
from drybench.model import Account

SETGROUPS, SETRESGID, SETRESUID = range(3)
NUMBERS = {"x86_64": (116, 119, 117), "aarch64": (159, 149, 147)}  # of these calls

Found = TypeVar("Found")


def acting_as(account: Account | None, work: Callable[[], Found]) -> Found:
    """errors.NoFilesHere where the portal cannot be that account. What `work` opened before stays open to it."""
    if account is None or account.uid == os.geteuid():
        return work()
    if os.geteuid() != 0 or os.uname().machine not in NUMBERS:
        raise NoFilesHere()
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(_as_them, account, work).result()


def _as_them(account: Account, work: Callable[[], Found]) -> Found:
    numbers = NUMBERS[os.uname().machine]
    groups = (ctypes.c_uint32 * len(account.groups))(*account.groups)
    _call(numbers[SETGROUPS], ctypes.c_size_t(len(groups)), groups)
    _call(numbers[SETRESGID], *[ctypes.c_uint32(account.gid)] * 3)
    _call(numbers[SETRESUID], *[ctypes.c_uint32(account.uid)] * 3)
    if os.getresuid() != (account.uid,) * 3 or os.getresgid() != (account.gid,) * 3:
        raise NoFilesHere()
    return work()


def _call(number: int, *said: object) -> None:
    if ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(number), *said) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
