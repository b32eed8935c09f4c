"""Environments and wishes as calm text."""

from __future__ import annotations

from collections.abc import Sequence

from drybench_client.environments import Inside, Offered, Trial, Wish
from drybench_client.printing import age, plain, say_error, table


def show_offered(environments: Sequence[Offered]) -> None:
    rows = [
        (it["name"], it["title"], it["state"], _size(it["bytes"]), it["whose"] or "", it["why_not"])
        for it in environments
    ]
    table(("ENVIRONMENT", "TITLE", "STATE", "SIZE", "WHOSE", "WHY NOT"), rows, nothing="There is no environment.")


def show_inside(environment: Inside) -> None:
    lines = [
        ("Name", environment["name"]),
        ("Title", environment["title"]),
        ("State", environment["state"]),
        ("About", environment["summary"]),
        ("Apps", ", ".join(app["title"] for app in environment["apps"])),
        ("Needs", ", ".join(environment["needs"])),
        ("Built on", environment["on"] or ""),
        ("Image", environment["image"] or ""),
        ("Digest", environment["digest"] or ""),
        ("Size", _size(environment["bytes"])),
        ("Brought by", environment["whose"] or ""),
        ("From", environment["source"] or ""),
    ]
    for title, words in lines:
        if words:
            print(f"{title + ':':<12}{plain(words)}")
    if environment["packages"]:
        print(f"Packages:   {len(environment['packages'])}")
        for package in environment["packages"]:
            print(f"  {plain(package['name'])} {plain(package['version'])}")
    if not environment["usable"]:
        say_error(environment["why_not"], environment["next_step"])


def show_trial(trial: Trial) -> None:
    for one in trial["tried"]:
        print(f"{'well  ' if one['passed'] else 'FAILED'}  {one['seconds']:5.1f} s  {plain(one['title'])}")
        for line in () if one["passed"] else one["said"].splitlines():
            print(f"          {plain(line)}")
    for lack in trial["lacks"]:
        print(f"lacks   {plain(lack['sentence'])}\n        {plain(lack['next_step'])}")
    say_error(trial["problem"])


def show_asked(_: Wish) -> None:
    print("The keeper has it: `drybench wishes` has the answer.")


def show_wishes(wishes: Sequence[Wish]) -> None:
    rows = [
        (it["id"], it["person"], _line(it["what"]), _line(it["why"]), age(it["at"]), _line(it["answer"]))
        for it in wishes
    ]
    table(("ID", "WHO", "WHAT", "WHY", "AGE", "ANSWER"), rows, nothing="Nobody has asked for a program.")


def _size(count: int | None) -> str:
    return "" if count is None else f"{count / 2**30:.1f} GiB"


def _line(words: str) -> str:
    return " ".join(words.split())
