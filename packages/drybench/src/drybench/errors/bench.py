"""The bench itself: its settings, and what keeps it from coming up."""

from __future__ import annotations

from drybench.errors.base import DrybenchError


class SettingsWrong(DrybenchError):
    """{place}: {problem}"""

    next_step = "Mend it there; `drybench settings` shows every key with its value."


class CannotStart(DrybenchError):
    """{sentence}"""

    next_step = "{next_step}"


class NewerData(CannotStart):
    """The data in {database} were written by a newer Drybench ({theirs}); this one is {ours}."""

    next_step = "Start Drybench {theirs} again, or give back the copy in the backups folder that was made before it."


class SecondPortal(CannotStart):
    """Another portal works on {what} already: {who}."""

    next_step = "End that one first (`drybench down`), or give this bench a data directory and a database of its own."


class AlreadyUp(CannotStart):
    """A bench is up on {data} already (process {pid})."""

    next_step = "Use that one (`drybench ticket --data {data}` prints a link), or end it first with `drybench down`."


class NotYourBench(CannotStart):
    """The data directory {data} belongs to another account, {owner}."""

    next_step = "Give this bench a data directory of your own: `--data DIR`."


class PortInUse(CannotStart):
    """Port {port} on {listen} is held by another program."""

    next_step = "End that program, or choose another port: `--port NUMBER`, or `port` under [bench] in {settings}."


class CannotListen(CannotStart):
    """This machine does not let Drybench listen on {listen}, port {port}: {why}."""

    next_step = "Set `listen` and `port` under [bench] in {settings}; ports below 1024 are for root only."


class EnvironmentNotMade(CannotStart):
    """The Python environment of sessions and runs could not be made: {problem}"""

    next_step = "Mend that (often it is the network, or a full disk) and start Drybench again; it goes on from there."


class MachineNotFit(CannotStart):
    """The local engine needs Linux 5.3 or newer; this is {system}."""

    next_step = "Run Drybench on such a machine."


class NotReady(CannotStart):
    """The {part} did not answer within {seconds} seconds."""

    next_step = "`drybench log {part}` shows what it last said."


class KeepsEnding(CannotStart):
    """The {part} ends again and again. Its last words: {words}"""

    next_step = "`drybench log {part}` shows more."


class NotUp(CannotStart):
    """No bench is up on {data}."""

    next_step = "Start it with `drybench up`, or name its data directory with `--data DIR`."


class TasksGoOn(DrybenchError):
    """The bench is down, but {number} of its tasks did not end."""

    next_step = "Start the bench and look at what they do, or try `drybench down --tasks` again."
