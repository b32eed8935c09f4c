"""A runner started ahead: what is slow is imported, and a kernel waits that nobody has worked in.

It is given one run (`claims.py`), moves its kernel to where that run works, and is a runner like any other
from then on. A notebook must not be able to tell: `ReadyKernel.enter` undoes what the waiting has left.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drybench_runner.carrying_out import carry_out
from drybench_runner.claims import Claim, Door
from drybench_runner.kernel import Kernel
from drybench_runner.kernelspecs import NATIVE, KernelSpec, find
from drybench_runner.record import RunFile

if TYPE_CHECKING:
    from drybench_runner.executing import Client

RUN = ("python", "-m", "drybench_runner", "run")
_ABANDONED = 3600.0  # seconds, for a bench that is down and ends nothing any more
_IN_TIME = 60.0  # seconds for what is done in a kernel that nobody has worked in

# What a kernel keeps of the folder in which it was started. No name is left in the notebook's own.
_ENTER = """
__import__("os").environ.update({env!r})
__import__("os").chdir({folder!r})
get_ipython().starting_dir = __import__("os").getcwd()
get_ipython().history_manager.dir_hist[:] = [get_ipython().starting_dir]
__import__("gc").freeze()
"""
_IMPORT = "exec('import ' + {module!r}, {{}})"


def wait(modules: Sequence[str]) -> int:
    """Until there is work, and then do it."""
    return asyncio.run(_wait(modules))


@dataclass
class ReadyKernel:
    spec: KernelSpec
    kernel: Kernel
    client: Client
    info: Mapping[str, Any]
    env: Mapping[str, str]  # in which it was started

    def fits(self, run: RunFile, spec: KernelSpec) -> bool:
        """One with requirements of its own, or with another kernel, starts its own."""
        return run.requirements is None and spec == self.spec and self.kernel.alive

    async def enter(self, folder: Path) -> tuple[Client, Mapping[str, Any]]:
        """As if it had been started there; executing.DeadKernelError where it died in this moment."""
        from drybench_runner import executing

        changed = {name: value for name, value in self.spec.environ().items() if self.env.get(name) != value}
        try:
            await _do(self.client, _ENTER.format(env=changed, folder=str(folder)))
        except TimeoutError:
            raise executing.DeadKernelError from None
        return self.client, self.info

    def close(self) -> None:
        self.client.close()
        self.kernel.kill()
        self.kernel.remove_sockets()


async def _wait(modules: Sequence[str]) -> int:
    place = Path(os.environ["DRYBENCH_TASK_DIR"])
    itself = asyncio.current_task()
    assert itself is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, itself.cancel)
    claimed = asyncio.create_task(Door(place).claim())  # also while it still starts: that is sooner than a new one
    ready: ReadyKernel | None = None
    try:
        ready = await _started_safely(place, modules)
        async with asyncio.timeout(_ABANDONED):
            claim = await claimed
        return await _carry_out(claim, ready)
    except (asyncio.CancelledError, TimeoutError):  # not wanted any more
        return 0
    finally:
        if ready is not None:
            ready.kernel.kill()
            ready.kernel.remove_sockets()


async def _started_safely(place: Path, modules: Sequence[str]) -> ReadyKernel | None:
    """Whatever keeps a kernel from getting ready: it may have been claimed meanwhile, so the run goes on without."""
    try:
        return await _started(place, modules)
    except Exception:
        traceback.print_exc()
        return None


async def _started(place: Path, modules: Sequence[str]) -> ReadyKernel | None:
    """None where a person has start-up files: they may look at the folder, which is not yet that of the run."""
    spec = find(NATIVE)
    kernel = None if _has_startup_files() else Kernel(spec, place)
    from drybench_runner import executing  # takes as long as the kernel does

    if kernel is None:
        return None
    try:
        client, info = await executing.connect(kernel)
        for module in modules:
            await _do(client, _IMPORT.format(module=module))
    except BaseException:
        kernel.kill()
        kernel.remove_sockets()
        raise
    return ReadyKernel(spec, kernel, client, info, spec.environ())


def _has_startup_files() -> bool:
    profile = Path(os.environ.get("IPYTHONDIR") or Path.home() / ".ipython") / "profile_default"
    names = ("startup/*.py", "startup/*.ipy", "ipython_config.py", "ipython_kernel_config.py")
    return any(found for name in names for found in profile.glob(name))


async def _do(client: Client, code: str) -> None:
    """Without a trace in its history; what it prints about that is nobody's."""
    id = client.execute(code, silent=True, store_history=False, stop_on_error=False)
    async with asyncio.timeout(_IN_TIME):
        while (await client.shell_channel.get_msg())["parent_header"].get("msg_id") != id:
            pass


async def _carry_out(claim: Claim, ready: ReadyKernel | None) -> int:
    *start, folder, attempt = claim.command
    if tuple(start) != RUN or not attempt.isdecimal():
        print(f"not a run: {claim.command}", file=sys.stderr)
        return 2
    os.environ.update(claim.env)
    return await carry_out(folder, int(attempt), ready)
