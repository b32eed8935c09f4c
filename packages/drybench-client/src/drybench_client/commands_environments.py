"""The commands around environments: what there is, one's own, and a word to the keeper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from drybench_client.commands import DONE, NOT_DONE, Which, needed

if TYPE_CHECKING:
    from drybench_client.bench import Bench
    from drybench_client.environments import Bringing, Inside

_HERE = Which()


def environments(
    action: Literal["list", "show", "add", "build", "check", "ask", "offer", "remove"] = "list",
    name: str | None = None,
    source: str | None = None,
    *,
    on: str | None = None,
    title: str | None = None,
    branch: str | None = None,
    fresh: bool = False,
    everybody: bool = False,
    all: bool = False,
    which: Which = _HERE,
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
    from drybench_client import printing, printing_environments

    with which.open() as bench:
        if action == "list":
            return _list(bench, all, which)
        if action == "remove":
            bench.remove_environment(needed(name))
            return DONE
        if action == "build":
            return _build(bench, needed(name), fresh, which)
        if action == "check":
            return _check(bench, needed(name), which)
        if action == "ask":
            wish = bench.ask_for_program(needed(name), needed(source))
            printing.show_json(dict(wish)) if which.json else print(
                "The keeper has it: `drybench wishes` has the answer."
            )
            return DONE
        if action == "add":
            said: Bringing = {"everybody": everybody, **_said(on=on, title=title, branch=branch)}
            found = _add(bench, needed(name), needed(source), said)
        else:
            found = (
                bench.environment(needed(name))
                if action == "show"
                else bench.offer_environment(needed(name), everybody)
            )
    printing.show_json(dict(found)) if which.json else printing_environments.show_inside(found)
    return DONE


def wishes(id: str | None = None, answer: str | None = None, *, which: Which = _HERE) -> None:
    """The programs that you have asked for; the keeper sees those of all, and answers them.

    Parameters
    ----------
    id
        For the keeper: the wish to answer, by its id.
    answer
        What to answer.
    """
    from drybench_client import printing, printing_environments

    with which.open() as bench:
        found = [bench.answer_wish(id, answer or "")] if id else list(bench.wishes())
    printing.show_json({"items": found}) if which.json else printing_environments.show_wishes(found)


COMMANDS = (environments, wishes)


def _said(**said: str | None) -> Bringing:
    return {name: value for name, value in said.items() if value is not None}  # type: ignore[return-value] - each is named as its field


def _list(bench: Bench, all: bool, which: Which) -> int:
    from drybench_client import printing, printing_environments

    if all:
        every = list(bench.all_environments())
        printing.show_json({"items": every}) if which.json else printing_environments.show_offered(every)
        return DONE
    found, sizes = list(bench.environments()), list(bench.sizes())
    if which.json:
        printing.show_json({"environments": found, "sizes": sizes})
    else:
        printing.show_environments(found, sizes)
    return DONE


def _add(bench: Bench, name: str, source: str, said: Bringing) -> Inside:
    if source.startswith("image:"):
        said["image"], source = source.removeprefix("image:"), ""
    elif "://" in source:
        said["repository"], source = source, ""
    return bench.bring(name, source or None, **said)


def _check(bench: Bench, name: str, which: Which) -> int:
    from drybench_client import printing, printing_environments

    trial = bench.check_environment(name)
    printing.show_json(dict(trial)) if which.json else printing_environments.show_trial(trial)
    return DONE if trial["well"] else NOT_DONE


def _build(bench: Bench, name: str, fresh: bool, which: Which) -> int:
    """Ctrl-C leaves it to go on: `drybench environments show NAME` says how it went."""
    from drybench_client import printing

    build = bench.build_environment(name, fresh=fresh)
    if not which.json:
        for text in bench.build_log(build):
            print(text, end="", flush=True)
    else:
        for _ in bench.build_log(build):
            pass
    ended = bench.get_build(build)
    if which.json:
        printing.show_json(dict(ended))
    else:
        printing.say_error(ended["problem"])
    return DONE if ended["state"] == "done" else NOT_DONE
