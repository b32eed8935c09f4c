"""The keeper's commands, added to `drybench` by entry point. Each imports what it needs when it is called."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from drybench import images_commands
from drybench.whose import USUAL, Whose

Part = Literal["hub", "portal", "proxy", "up"]
PARTS: tuple[Part, ...] = ("hub", "portal", "proxy", "up")


def up(*, port: int | None = None, detach: bool = False, whose: Whose = USUAL) -> None:
    """Bring a bench up, and keep it up until Ctrl-C or `drybench down`.

    Parameters
    ----------
    port
        The public port. Without it the one that was chosen at the first start.
    detach
        Come back when it is ready; it stays up in the background.
    """
    from drybench.up.announcing import say
    from drybench.up.bringing_up import Wish, bring_up
    from drybench.up.detaching import go_behind

    wish = Wish(whose.folder(), whose.file(), {"bench": {"port": port}} if port is not None else {})
    bring_up(wish, say, go_behind(wish.data.logs / "up.log") if detach else lambda: None)


def down(*, tasks: bool = False, whose: Whose = USUAL) -> None:
    """End a bench. What runs goes on and is found again at the next `drybench up`.

    Parameters
    ----------
    tasks
        End all sessions and runs as well.
    """
    from drybench.up.announcing import say
    from drybench.up.bringing_down import bring_down

    bring_down(whose.folder(), whose.file(), say, tasks)


def status(*, whose: Whose = USUAL) -> int:
    """Whether a bench is up, and which of its parts answer; the exit code is 0 when all do."""
    from drybench.up.looking_up import look

    found = look(whose.folder(), whose.file())
    for line in found.lines:
        print(line)
    return 0 if found.well else 1


def log(
    part: Part | None = None,
    *,
    follow: Annotated[bool, Parameter(name=["--follow", "-f"])] = False,
    lines: Annotated[int, Parameter(name=["--lines", "-n"])] = 50,
    whose: Whose = USUAL,
) -> None:
    """What the parts of a bench said last.

    Parameters
    ----------
    part
        Only this one's.
    follow
        Go on with what they say from now on.
    lines
        How many of each.
    """
    from drybench.up import log_files

    data = whose.folder()
    logs = {data.logs / f"{name}.log": "" if part else f"{name:<6} | " for name in ([part] if part else PARTS)}
    for file, title in logs.items():
        for line in log_files.last_lines(file, lines):
            print(f"{title}{line}")
    for file, line in log_files.growing(list(logs)) if follow else ():
        print(f"{logs[file]}{line}", flush=True)


def ticket(*, whose: Whose = USUAL) -> None:
    """Print a new link that signs in the bench's owner, once."""
    from drybench.addresses import Addresses
    from drybench.errors import NotUp
    from drybench.up.bringing_up import must_be_own, new_link

    data = whose.folder()
    must_be_own(data)
    if not data.bench.exists():
        raise NotUp(data=data.path)
    print(new_link(data, Addresses.load(data.bench)))


def settings(*, whose: Whose = USUAL) -> None:
    """Every setting that is in force, and where it comes from."""
    from drybench.settings import load, where_from

    found: Any = [(f"{one.key} = {one.value}", one.place) for one in where_from(load(whose.folder(), whose.file()))]
    width = max(len(words) for words, _ in found)
    for words, place in found:
        print(f"{words:<{width}}  # {place}")


def doctor(*, json: bool = False, whose: Whose = USUAL) -> int:
    """Look at this machine part by part, and say what is missing; the exit code is 0 when nothing needed is.

    Parameters
    ----------
    json
        Print one JSON object.
    """
    from drybench.admin import doctor as at_the_doctor
    from drybench.settings import load

    found = at_the_doctor.examine(whose.folder(), load(whose.folder(), whose.file()))
    for line in at_the_doctor.as_json(found) if json else at_the_doctor.as_text(found):
        print(line)
    return 1 if any(one.ill for one in found) else 0


def add_commands(app: App) -> None:
    for command in (up, down, status, log, ticket, settings, doctor):
        app.command(command)
    app.command(images_commands.app)
