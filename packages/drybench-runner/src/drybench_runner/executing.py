"""The conversation with a kernel: nbclient's, with what the kernel says going into a recording.

Imported late: by then the kernel is starting up already.
"""

from __future__ import annotations

from collections.abc import Mapping
from queue import Empty
from typing import Any, cast

import zmq
import zmq.asyncio

from drybench_runner.kernel import Kernel
from drybench_runner.quick_imports import ADDRESSES, OTHER_FORMATS, without
from drybench_runner.recording import Recording

with without(ADDRESSES, *OTHER_FORMATS):
    from jupyter_client.asynchronous.client import AsyncKernelClient
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError
    from nbformat import NotebookNode

STARTUP_LIMIT = 60.0
_RECONNECT_MS = 10
_OUTPUTS = frozenset({"stream", "display_data", "execute_result", "error"})
_MODEL = ("model_name", "model_module", "model_module_version")

# A kernel drops what it prints when a thousand messages wait, which a busy machine makes likely. This lifts
# the limit in the thread that owns the socket; a kernel that has no such thing ignores it.
# And what IPython itself is made of is no garbage: to look for some in it takes a sixth of a second at the end.
_PREPARE = """
get_ipython().kernel.iopub_thread.schedule(
    lambda socket=get_ipython().kernel.iopub_thread.socket: socket.setsockopt(__import__("zmq").SNDHWM, 0)
)
__import__("gc").freeze()
"""
_END = "get_ipython().kernel.io_loop.add_callback(get_ipython().kernel.io_loop.stop)"

Message = dict[str, Any]


class KernelSilent(Exception):
    """It lives and says nothing."""


class Client(AsyncKernelClient):
    """Knows its kernel by its process and not by its heartbeat."""

    def __init__(self, kernel: Kernel) -> None:
        context = zmq.asyncio.Context()
        # The kernel is not there yet when we connect; and what it prints must wait for us, not be dropped.
        context.setsockopt(zmq.RECONNECT_IVL, _RECONNECT_MS)
        context.setsockopt(zmq.RCVHWM, 0)
        super().__init__(context=context)
        self._kernel = kernel
        self.load_connection_info(dict(kernel.connection))  # type: ignore[arg-type] - its TypedDict says less than it takes
        self.start_channels(stdin=False, hb=False)

    async def is_alive(self) -> bool:
        return self._kernel.alive

    def request(self, kind: str) -> None:
        """Ask on the control channel, and wait for no answer."""
        self.control_channel.send(self.session.msg(kind, {"restart": False} if kind == "shutdown_request" else {}))

    def end(self, after_error: bool) -> None:
        """Ask the kernel to end as if its last cell were a program's last line.

        ipykernel is asked as a cell would ask. On the control channel its thread now and then waits for one that
        has ended before it; but after an error it drops what it is asked as a cell.
        """
        if self._kernel.spec.is_ipykernel and not after_error:
            self.execute(_END, silent=True, store_history=False, stop_on_error=False)
        else:
            self.request("shutdown_request")

    def close(self) -> None:
        self.stop_channels()
        self.context.destroy(linger=0)


async def connect(kernel: Kernel) -> tuple[Client, Mapping[str, Any]]:
    """A client that hears everything the kernel says from now on, and what the kernel says of itself."""
    while True:
        client = Client(kernel)
        try:
            info = await _ready(client)
        except DeadKernelError:
            client.close()
            if not kernel.may_try_again:
                raise
            kernel.start()
        except BaseException:
            client.close()
            raise
        else:
            if kernel.spec.is_ipykernel:
                client.execute(_PREPARE, silent=True, store_history=False, stop_on_error=False)
            return client, info


async def _ready(client: Client) -> Mapping[str, Any]:
    """Ask until both the answer and something on the channel of outputs have come."""
    for _ in range(int(STARTUP_LIMIT)):
        client.kernel_info()
        info = await _message(client.shell_channel, 1)
        if info is not None and info["msg_type"] == "kernel_info_reply":
            if await _message(client.iopub_channel, 0.2) is not None:
                return info["content"]
        elif not await client.is_alive():
            raise DeadKernelError
    raise KernelSilent


async def _message(channel: Any, seconds: float) -> Message | None:
    try:
        return await channel.get_msg(timeout=seconds)
    except Empty:
        return None


class Execution(NotebookClient):
    """nbclient with its outputs going elsewhere; what it keeps itself are widgets' states and timings."""

    def __init__(
        self, notebook: NotebookNode, client: Client, recording: Recording, allow_errors: bool = False
    ) -> None:
        super().__init__(notebook, on_cell_execute=self._started, on_cell_executed=self._ended)
        self.allow_errors = allow_errors
        # The answer overtakes what was printed before it where a lot is printed.
        self.iopub_timeout = 120
        self.kc = client
        self._socket: Any = client.shell_channel.socket
        self._recording = recording
        self.reply: Mapping[str, Any] = {}
        self.is_busy = False

    def process_message(self, msg: Message, cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        kind, content = msg["msg_type"], msg["content"]
        if kind == "execute_input":
            self.is_busy = True
        if kind == "update_display_data":
            if display_id := _display_id(content):
                self._recording.update(display_id, content["data"], content.get("metadata") or {})
            return None
        if self.output_hook_stack[msg["parent_header"].get("msg_id")]:
            return self._into_output_widget(msg, cell, cell_index)
        if kind in _OUTPUTS:
            self._recording.output(cell_index, _output(kind, content), _display_id(content))
            return None
        if kind == "clear_output":
            self._recording.clear(cell_index, wait=bool(content.get("wait")))
            return None
        done = super().process_message(msg, cell, cell_index)
        if kind in ("comm_open", "comm_msg"):
            self._tell_widget(content)
        return done

    def _tell_widget(self, content: Mapping[str, Any]) -> None:
        """nbclient knows by now what the widget is."""
        id, data = str(content["comm_id"]), cast("Mapping[str, Any]", content.get("data") or {})
        whole = cast("Mapping[str, Any]", self.widget_state.get(id, {}))
        if data.get("state") and "_model_name" in whole:
            model = {name: whole.get(f"_{name}") for name in _MODEL}
            self._recording.widget(id, {**model, "state": dict(data["state"])})

    def _into_output_widget(self, msg: Message, cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        try:
            return super().process_message(msg, cell, cell_index)
        finally:
            # The widget has written to the socket that we wait at, and may have taken the only sign that an answer
            # has come; asking for it gives the sign again.
            self._socket.get(zmq.EVENTS)

    def _started(self, cell: NotebookNode, cell_index: int) -> None:
        self.is_busy = False
        self._recording.start_cell(cell_index)

    def _ended(self, cell: NotebookNode, cell_index: int, execute_reply: Message) -> None:
        self.reply = execute_reply["content"]
        is_error = self.reply["status"] == "error" and not self._leaves()
        expected = self.allow_errors or expects_error(cell)
        self._recording.allowed_errors += is_error and self.allow_errors
        self._recording.end_cell(self.reply.get("execution_count"), is_error and not expected)

    def _leaves(self) -> bool:
        return self.reply.get("ename") == "SystemExit" and self.reply.get("evalue") in ("", "0", "None")


def expects_error(cell: Mapping[str, Any]) -> bool:
    return "raises-exception" in (cell["metadata"].get("tags") or ())


def _output(kind: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """As nbformat has it, also where a kernel is careless about what it sends."""
    if kind == "stream":
        return {"output_type": kind, "name": content["name"], "text": content["text"]}
    if kind == "error":
        texts = {name: str(content.get(name, "")) for name in ("ename", "evalue")}
        return {"output_type": kind, **texts, "traceback": [str(row) for row in content.get("traceback") or ()]}
    shown: dict[str, Any] = {"output_type": kind}
    shown |= {"data": content.get("data") or {}, "metadata": content.get("metadata") or {}}
    return shown | ({"execution_count": content.get("execution_count")} if kind == "execute_result" else {})


def _display_id(content: Mapping[str, Any]) -> str | None:
    transient: Mapping[str, Any] | None = content.get("transient")
    return transient.get("display_id") if transient else None


__all__ = ["CellExecutionError", "Client", "DeadKernelError", "Execution", "KernelSilent", "connect"]
