"""A run of a notebook, from the given one to result.json."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drybench_runner import causes, given_notebook, record
from drybench_runner.book import is_executed
from drybench_runner.causes import End
from drybench_runner.frames import named
from drybench_runner.kernel import Kernel
from drybench_runner.kernelspecs import NATIVE, KernelSpec, NoSuchKernel, find
from drybench_runner.places import Places
from drybench_runner.record import RunFile
from drybench_runner.run_record import RunRecord
from drybench_runner.working_folder import link_neighbours

if TYPE_CHECKING:
    from drybench_runner.holding import Holding
    from drybench_runner.ready import ReadyKernel
    from drybench_runner.receipt import Gathering
    from drybench_runner.requirements import Overlay

GRACE = 5.0  # seconds that a cell has to come to an end when it is interrupted
PATIENCE = 2.5  # seconds that a kernel has to end by itself


async def carry_out(places: Places, run: RunFile, ready: ReadyKernel | None = None) -> None:
    """Execute, and leave a record of it whatever happens. Returns when result.json is written."""
    await _NotebookRun(places, run, ready).carry_out()


class _NotebookRun:
    def __init__(self, places: Places, run: RunFile, ready: ReadyKernel | None) -> None:
        self._places = places
        self._run = run
        self._ready = ready
        self._started_at = record.moment()
        self._notebook: Any = given_notebook.empty()
        self._spec = KernelSpec("", ())
        self._kernel: Kernel | None = None
        self._client: Any = None
        self._overlay: Overlay | None = None
        self._receipt: Gathering | None = None
        self._work: asyncio.Task[End] | None = None
        self._stopped: End | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._holding: Holding | None = None

    async def carry_out(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._cancel)
        try:
            cannot = self._prepare()
            self._open_record()
            self._run_out_after(self._run.timeout)
            end = cannot or await self._executed()
            await self._finish(await self._mended(end) if self._run.hold else end)
        finally:
            if self._kernel is not None:
                self._kernel.kill()
                self._kernel.remove_sockets()

    def _run_out_after(self, seconds: float | None) -> None:
        if seconds is not None:
            end = causes.timed_out(self._run.timeout or seconds, None)
            self._timer = asyncio.get_running_loop().call_later(seconds, self._stop, end)

    async def _mended(self, end: End) -> End:
        """How it ends after hands that mended it, as often as they try while the kernel is kept."""
        from drybench_runner.holding import Holding, code_cells, heard

        while end.outcome == "failed" and self._can_be_held():
            assert self._kernel is not None
            self._holding = self._holding or Holding(self._places, self._kernel, self._run.hold)
            left = self._pause()
            self._record.flush()
            failed = self._record.book.settled()
            self._holding.open(failed)  # before it is said: whoever reads that may come at once
            self._recording.hold(record.moment_in(self._holding.seconds_left))
            self._record.flush()
            hears = partial(heard, self._client)
            go_on = await self._holding.wait(failed, hears, lambda: self._stopped is causes.CANCELLED)
            self._recording.release()
            if go_on is None:
                return end
            self._run_out_after(left)
            self._recording.go_on(
                go_on.index,
                go_on.cells,
                before=code_cells(self._notebook["cells"][: go_on.index]),
                of=code_cells(self._notebook["cells"][: go_on.index]) + code_cells(go_on.cells),
            )
            end = await self._executed_from(go_on.index)
        return end

    def _can_be_held(self) -> bool:
        """A kernel that still answers, and nobody who cancelled."""
        alive = self._kernel is not None and self._kernel.alive and self._client is not None
        return alive and not self._recording.is_running and self._stopped is not causes.CANCELLED

    def _pause(self) -> float | None:
        """Nobody's time runs out while the kernel is kept; what is left of it afterwards."""
        self._stopped = None
        if self._timer is None:
            return None
        self._timer.cancel()
        return max(self._timer.when() - asyncio.get_running_loop().time(), 1.0)

    def _prepare(self) -> End | None:
        """The kernel is started first of all, for that takes the longest; an End where it cannot be."""
        self._places.output.mkdir(exist_ok=True)
        if self._run.cwd is not None and not Path(self._run.cwd).is_dir():
            return causes.no_such_folder(self._run.cwd)
        try:
            self._notebook = given_notebook.read(self._places.given / self._run.notebook)
            self._warning = self._link_neighbours()
            self._spec = find(self._kernel_name())
            if self._run.requirements is None:
                self._start_kernel()
            elif self._spec.packages:
                return causes.requirements_not_for(self._spec.name)
        except NoSuchKernel as missing:
            return causes.no_such_kernel(missing.name, missing.there_are)
        except ValueError as problem:
            return causes.not_a_notebook(str(problem))
        except OSError as problem:
            return causes.cannot_start_kernel(self._kernel_name(), problem)
        return None

    def _start_kernel(self) -> None:
        if self._ready is not None and not self._ready.fits(self._run, self._spec):
            self._ready.close()
            self._ready = None
        self._kernel = self._ready.kernel if self._ready else Kernel(self._spec, self._folder)

    @property
    def _folder(self) -> Path:
        return Path(self._run.cwd or self._places.output)

    def _link_neighbours(self) -> str | None:
        if self._run.folder is None or self._run.alone or self._run.cwd is not None:
            return None
        return link_neighbours(Path(self._run.folder), self._run.notebook_name, self._places.output)

    def _kernel_name(self) -> str:
        own: dict[str, str] = self._notebook["metadata"].get("kernelspec") or {}
        return self._run.kernel or own.get("name") or NATIVE

    def _open_record(self) -> None:
        later = asyncio.get_running_loop().call_later
        self._record = RunRecord(self._places, self._notebook, later, lambda: self._stop(causes.DISK_FULL))
        self._recording = self._record.recording
        self._record.begin(self._run, self._started_at, self._notebook["cells"])

    async def _executed(self) -> End:
        if self._warning:
            self._recording.say(self._warning)
        if self._kernel is not None:
            starting = "taking the ready kernel" if self._ready else "starting the kernel"
            self._recording.detail(f"{starting} {self._spec.name}")
        # The first event is on the page before the slow imports begin.
        self._record.flush()
        self._begin_receipt()
        return await self._worked(self._execute())

    async def _executed_from(self, start: int) -> End:
        return await self._worked(self._ends_as(self._execute_cells(start)))

    async def _worked(self, work: Coroutine[Any, Any, End]) -> End:
        self._work = asyncio.create_task(work)
        await asyncio.wait({self._work})
        if self._stopped is not None:
            return self._stopped
        return self._work.result()

    def _begin_receipt(self) -> None:
        from drybench_runner.receipt import Gathering

        self._receipt = Gathering(self._run.inputs, self._run.folder)

    async def _execute(self) -> End:
        if self._run.requirements is not None and (cannot := await self._provide_requirements()):
            return cannot
        return await self._ends_as(self._enter_and_execute())

    async def _enter_and_execute(self) -> None:
        from drybench_runner import executing

        assert self._kernel is not None
        entered = self._ready.enter(self._folder) if self._ready else executing.connect(self._kernel)
        self._client, info = await entered
        if "language_info" in info:
            self._notebook["metadata"]["language_info"] = info["language_info"]
        self._execution = executing.Execution(self._notebook, self._client, self._recording, self._run.allow_errors)
        await self._execute_cells()

    async def _ends_as(self, work: Coroutine[Any, Any, None]) -> End:
        from drybench_runner import executing

        assert self._kernel is not None
        try:
            await work
        except executing.CellExecutionError:
            return self._cell_raised(self._execution.reply)
        except executing.DeadKernelError:
            return self._kernel_died(self._kernel)
        except executing.KernelSilent:
            return causes.kernel_silent(executing.STARTUP_LIMIT)
        except MemoryError:
            return causes.OUT_OF_MEMORY
        return causes.done(self._recording.allowed_errors)

    async def _provide_requirements(self) -> End | None:
        """Before the kernel is started, which is to find them."""
        from drybench_runner import requirements

        provided = await requirements.provide_for(self._places, self._run, self._recording.detail)
        if isinstance(provided, End):
            return provided
        self._overlay = provided
        self._recording.detail(f"starting the kernel {self._spec.name}")
        try:
            self._start_kernel()
        except OSError as problem:
            return causes.cannot_start_kernel(self._spec.name, problem)
        return None

    async def _execute_cells(self, start: int = 0) -> None:
        try:
            for index, cell in enumerate(self._notebook["cells"]):
                if self._stopped is not None:
                    return
                if index >= start:
                    await self._execute_cell(index, cell)
        finally:
            self._execution.set_widgets_metadata()

    async def _execute_cell(self, index: int, cell: Any) -> None:
        if not is_executed(cell):
            return
        limit = self._run.cell_timeout
        if limit is None:
            await self._execution.async_execute_cell(cell, index)
            return
        end = causes.timed_out(limit, (self._recording.cell_number or 0) + 1)
        timer = asyncio.get_running_loop().call_later(limit, self._stop, end)
        try:
            await self._execution.async_execute_cell(cell, index)
        finally:
            timer.cancel()

    def _kernel_died(self, kernel: Kernel) -> End:
        if not self._record.has_room():
            return causes.DISK_FULL
        return causes.kernel_died(kernel.process.poll(), self._recording.cell_number)

    def _cell_raised(self, reply: Mapping[str, Any]) -> End:
        traceback: list[str] = reply.get("traceback") or []
        error = named(record.CellError(reply.get("ename", ""), reply.get("evalue", ""), traceback))
        return causes.cell_raised(error, self._recording.cell_number or 0, self._run)

    def _cancel(self) -> None:
        """Asked a second time, it does not wait for the cell to come to an end."""
        if self._stopped is causes.CANCELLED and self._work is not None:
            self._work.cancel()
        self._stop(causes.CANCELLED)

    def _stop(self, end: End) -> None:
        """The first reason to stop is the one that is told."""
        if self._stopped is not None:
            return
        self._stopped = end
        if self._work is None:
            return
        if not self._recording.is_running:
            self._work.cancel()
            return
        self._interrupt()
        asyncio.get_running_loop().call_later(GRACE, self._work.cancel)

    def _interrupt(self) -> None:
        """Once, and only when the kernel is at it: before, it would not hear it."""
        assert self._kernel is not None
        if not self._execution.is_busy:
            asyncio.get_running_loop().call_later(0.02, self._interrupt)
        elif self._spec.interrupt_mode == "message":
            self._client.request("interrupt_request")
        else:
            self._kernel.signal(signal.SIGINT)

    async def _finish(self, end: End) -> None:
        if self._recording.is_running and self._kernel is not None:
            self._kernel.kill()
        elif self._client is not None:
            self._client.end(after_error=end.outcome != "done")
        end = self._record.keep_notebook(end)
        if self._kernel is not None:
            await self._kernel.close(PATIENCE if self._client is not None else 0)
        if self._client is not None:
            self._client.close()
        self._record.close()
        if self._receipt is not None:
            overlay = self._overlay.folder if self._overlay else self._spec.packages
            self._receipt.write(self._places.receipt, self._started_at, self._record.ended_at, overlay)
        hand = self._holding.hand() if self._holding else None
        requirements = self._overlay.as_json() if self._overlay else None
        self._record.keep_result(end, self._spec, hand=hand, requirements=requirements)
