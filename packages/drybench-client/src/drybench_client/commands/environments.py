"""The commands around environments: what there is, one's own, and a word to the keeper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cyclopts import Parameter

from drybench_client.commands.said import DONE, HERE, NOT_DONE, Which, needed

if TYPE_CHECKING:
    from drybench_client.bench import Bench
    from drybench_client.environments import Bringing, Inside


@Parameter(name="*")
@dataclass(frozen=True)
class Details:
    """What is said with some of the deeds.

    Parameters
    ----------
    on
        For `add`: the environment that it is built on; `base` otherwise.
    title
        For `add`: what people read.
    branch
        For `add`: the repository's branch or tag.
    fresh
        For `build`: without what earlier builds left.
    everybody
        For `add` and `offer`: for everybody, which is for the keeper to say.
    all
        For `list`: also those that cannot be used now, with the reason.
    """

    on: str | None = None
    title: str | None = None
    branch: str | None = None
    fresh: bool = False
    everybody: bool = False
    all: bool = False


_NO_DETAILS = Details()


def environments(
    action: Literal["list", "show", "add", "build", "check", "ask", "offer", "remove"] = "list",
    name: str | None = None,
    source: str | None = None,
    *,
    details: Details = _NO_DETAILS,
    which: Which = HERE,
) -> int:
    """The environments and the sizes that a run or a session may have; and how one brings one's own.

    Parameters
    ----------
    action
        `show` says what is inside; `add` brings one of your own; `build` makes its image and shows the log; `check`
        tries it; `ask` asks the keeper for a program; `offer` and `remove` are for what somebody brought.
    name
        Its name; for `ask` which program.
    source
        For `add`: a requirements.txt, environment.yml, apt.txt or Dockerfile, a folder with such files, the address
        of a git repository (https://…), or an image by its name (image:NAME). For `ask`: what you need it for.
    """
    from drybench_client.printing_environments import show_asked, show_inside

    with which.open() as bench:
        match action:
            case "list":
                _list(bench, details.all, which)
            case "show":
                which.show(bench.environment(needed(name)), show_inside)
            case "add":
                which.show(_add(bench, needed(name), needed(source), details), show_inside)
            case "build":
                return _build(bench, needed(name), details.fresh, which)
            case "check":
                return _check(bench, needed(name), which)
            case "ask":
                which.show(bench.ask_for_program(needed(name), needed(source)), show_asked)
            case "offer":
                which.show(bench.offer_environment(needed(name), details.everybody), show_inside)
            case "remove":
                bench.remove_environment(needed(name))
    return DONE


def wishes(id: str | None = None, answer: str | None = None, *, which: Which = HERE) -> None:
    """The programs that you have asked for; the keeper sees those of all, and answers them.

    Parameters
    ----------
    id
        For the keeper: the wish to answer, by its id.
    answer
        What to answer.
    """
    from drybench_client import printing_environments

    with which.open() as bench:
        found = [bench.answer_wish(id, answer or "")] if id else list(bench.wishes())
    which.show_items(found, printing_environments.show_wishes)


COMMANDS = (environments, wishes)


def _list(bench: Bench, all: bool, which: Which) -> None:
    from drybench_client import printing, printing_environments

    if all:
        which.show_items(list(bench.all_environments()), printing_environments.show_offered)
        return
    found, sizes = list(bench.environments()), list(bench.sizes())
    which.show({"environments": found, "sizes": sizes}, lambda _: printing.show_environments(found, sizes))


def _add(bench: Bench, name: str, source: str, details: Details) -> Inside:
    said = _said(on=details.on, title=details.title, branch=details.branch)
    said["everybody"] = details.everybody
    if source.startswith("image:"):
        said["image"], source = source.removeprefix("image:"), ""
    elif "://" in source:
        said["repository"], source = source, ""
    return bench.bring(name, source or None, **said)


def _said(**said: str | None) -> Bringing:
    return {name: value for name, value in said.items() if value is not None}  # type: ignore[return-value] - each is named as its field


def _build(bench: Bench, name: str, fresh: bool, which: Which) -> int:
    """Ctrl-C leaves it to go on: `drybench environments show NAME` says how it went."""
    from drybench_client import printing

    build = bench.build_environment(name, fresh=fresh)
    for text in bench.build_log(build):
        if not which.json:
            print(text, end="", flush=True)
    ended = bench.get_build(build)
    which.show(ended, lambda one: printing.say_error(one["problem"]))
    return DONE if ended["state"] == "done" else NOT_DONE


def _check(bench: Bench, name: str, which: Which) -> int:
    from drybench_client.printing_environments import show_trial

    trial = bench.check_environment(name)
    which.show(trial, show_trial)
    return DONE if trial["well"] else NOT_DONE
