"""Where work runs: an engine that cannot be had, or cannot do what is asked of it."""

from __future__ import annotations

from drybench.errors.base import DrybenchError, Refused


class EngineMissing(DrybenchError):
    """There is no engine named {name} here; there are {known}."""

    next_step = "{hint}"


class NoSuchSize(Refused):
    """There is no size “{name}” here."""

    next_step = "Choose one of: {there}."


class MachineTooSmall(Refused):
    """It asks for {asked}; this machine has {most} for all its tasks."""

    next_step = "Choose a smaller size."


class NoSuchGpu(Refused):
    """It asks for {asked}; this bench has {there}."""

    next_step = "Ask for fewer GPUs, or for less memory on each."


class GpuWrong(Refused):
    """“{typed}” is no amount of memory that a GPU could have."""

    next_step = "Write it as on the card, such as 24 GB, or `any`."


class TaskNotStarted(DrybenchError):
    """This machine could not start it: {cause}."""

    status = 503
    next_step = "It is tried again; if that does not help, ask the keeper of this bench."


class ReadyGone(DrybenchError):
    """What stood ready for it has ended."""

    status = 503
    next_step = "It is started anew."


class StandsReadyNowhere(Refused):
    """No session of {name} can stand ready: that takes containers, made by a bench that root has started."""

    next_step = "See `drybench doctor`; people start it as everywhere, only not at once."


class DockerAway(DrybenchError):
    """Docker does not answer at the moment."""

    status = 503
    next_step = "It is asked again by itself; what runs in containers goes on. The keeper sees why: `docker info`."


class NetworkNotMade(DrybenchError):
    """The network that containers are on could not be made: {why}."""

    status = 503
    next_step = "It is tried again; ask the keeper, who can choose other addresses (`subnet` under [engines.docker])."


class NetworkInUse(DrybenchError):
    """Docker would not remove the network that containers were on: {why}."""

    status = 409
    next_step = "End what is on it (`docker ps`); it serves again when the bench comes up."


class NotGuarded(Refused):
    """Nothing starts in containers here: the rules that keep them from this machine cannot be set ({why})."""

    next_step = (
        "Ask the keeper to install `iptables` on this machine; `without_firewall` under [engines.docker] does without."
    )


class NoDoorForTasks(Refused):
    """What runs in a container cannot reach this bench: it came up while Docker was away."""

    next_step = "Ask the keeper to bring it down and up again (`drybench down`, `drybench up`); nothing is lost by it."


class ContainerRefused(Refused):
    """Docker cannot start a container of {image} for it: {why}."""

    next_step = "Choose another environment, or show this to the keeper of this bench."


class NoImage(Refused):
    """It names no image, and what runs here runs in containers."""

    next_step = "Choose an environment with an image."


class NotAsRoot(Refused):
    """Nothing runs as root in a container of this bench."""

    next_step = "The keeper gives people accounts of their own: `[accounts]` in drybench.toml."


class ProgramMissing(Refused):
    """The image {image} has no {program}, which this needs."""

    next_step = "Choose another environment; `drybench images check` says what an image lacks, and how to add it."
