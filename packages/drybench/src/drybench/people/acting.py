"""Look at files with somebody else's rights and none of root's.

Rights belong to a thread: the kernel's own calls change those of one, where the C library's change all. The thread is
gone afterwards, so nothing has to be put back. Only what counts for files is changed: a thread that was them in all
could be sent a signal by them, and with it the whole portal.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from drybench.errors import NoFilesHere
from drybench.model import Account

SETGROUPS, SETFSGID, SETFSUID = range(3)
NUMBERS = {"x86_64": (116, 123, 122), "aarch64": (159, 152, 151)}  # of these calls
WHICH = 0xFFFFFFFF  # no number: it changes nothing, and the answer is the one in force

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
    if _call(numbers[SETGROUPS], ctypes.c_size_t(len(groups)), groups) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    for call, number in ((SETFSGID, account.gid), (SETFSUID, account.uid)):
        _call(numbers[call], ctypes.c_uint32(number))
        if _call(numbers[call], ctypes.c_uint32(WHICH)) != number:
            raise NoFilesHere()
    return work()


def _call(number: int, *said: object) -> int:
    return ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(number), *said)
