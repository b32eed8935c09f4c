"""What the keeper says of folders and accounts, and what is refused of it, with its line."""

from __future__ import annotations

import pytest

from drybench import settings
from drybench.data_folder import DataFolder
from drybench.errors import SettingsWrong


def wrong(data: DataFolder, text: str) -> str:
    data.settings.write_text(text)
    with pytest.raises(SettingsWrong) as refused:
        settings.load(data)
    return str(refused.value)


def test_shared_folders_and_others(data: DataFolder) -> None:
    data.settings.write_text(
        """
[folders]
homes = "/srv/homes/{name}"
home_inside = "/home/jovyan"
[[folders.shared]]
source = "/srv/shared/"
target = "/shared"
[[folders.mounts]]
source = "/data/{name}"
target = "/raw"
read_only = true
for = "group:imaging"
"""
    )
    folders = settings.load(data).folders
    [shared], [raw] = folders.shared, folders.mounts
    assert (shared.source, shared.whom, shared.create, shared.read_only) == ("/srv/shared", "everybody", True, False)
    assert (raw.target, raw.whom, raw.create, raw.read_only) == ("/raw", "group:imaging", False, True)
    told = {one.key: one.value for one in settings.where_from(settings.load(data))}
    assert '"for": "group:imaging"' in told["folders.mounts"]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('homes = "/srv/homes"', 2, "a home of their own"),
        ('homes = "homes/{name}"', 2, "whole path"),
        ('homes = "/srv/{user}/{name}"', 2, "`{name}` and nothing else"),
        ('home_inside = "/proc/{name}"', 2, "would hide"),
        ('home_inside = ""', 2, "would hide"),
        ('[[folders.mounts]]\nsource = "/a"\ntarget = "/"', 4, "would hide"),
        ('[[folders.mounts]]\nsource = "/a"\ntarget = "/etc"', 4, "would hide"),
        ('[[folders.mounts]]\nsource = "/a"\ntarget = "/etc/passwd"', 4, "would hide"),
        ('[[folders.mounts]]\nsource = "/a"\ntarget = "/drybench/x"', 4, "would hide"),
        ('[[folders.mounts]]\nsource = "/a"\ntarget = "/opt/python/lib"', 4, "would hide"),
        ('[[folders.mounts]]\nsource = "/a"\ntarget = "/x/../etc"', 4, "whole path"),
        ('[[folders.mounts]]\nsource = "/a"\ntarget = "x"', 4, "whole path"),
        ('[[folders.mounts]]\nsource = "/"\ntarget = "/x"', 3, "socket"),
        ('[[folders.mounts]]\nsource = "/var/run"\ntarget = "/x"', 3, "socket"),
        ('[[folders.mounts]]\nsource = "/run/docker.sock"\ntarget = "/x"', 3, "socket"),
        ('[[folders.mounts]]\nsource = "/a"\ntarget = "/x"\nfor = "ada"', 5, "group:NAME"),
        ('[[folders.mounts]]\nsource = "/a"\ntarget = "/x"\nfor = "group:"', 5, "group:NAME"),
        ('[[folders.mounts]]\nsource = "/a"\ntarget = "/x"\nreadonly = true', 5, "did you mean `read_only`"),
        ('[[folders.mounts]]\ntarget = "/x"', 2, "`folders.mounts.0.source`"),
        ('[[folders.mounts]]\nsource = "/a"\ntarget = "/home/{name}/x"', 4, "lies in the home"),
        (
            '[[folders.shared]]\nsource = "/a"\ntarget = "/x"\n[[folders.mounts]]\nsource = "/b"\ntarget = "/x/y"',
            7,
            "that of /a",
        ),
        (
            '[[folders.mounts]]\nsource = "/a"\ntarget = "/x/y"\n[[folders.mounts]]\nsource = "/b"\ntarget = "/x"',
            7,
            "a path of its own",
        ),
        ('[[folders.mounts]]\nsource = "DATA"\ntarget = "/x"', 3, "the bench's own data"),
        ('[[folders.mounts]]\nsource = "DATA/runs"\ntarget = "/x"', 3, "the bench's own data"),
        ('[[folders.mounts]]\nsource = "DATA/.."\ntarget = "/x"', 3, "whole path"),
        ('[[folders.mounts]]\nsource = "ABOVE"\ntarget = "/x"', 3, "the bench's own data"),
        ('[[folders.mounts]]\nsource = "LINK/runs"\ntarget = "/x"', 3, "the bench's own data"),
        ('homes = "DATA/runs/{name}"', 2, "the bench's own data"),
    ],
)
def test_what_is_wrong_is_refused_with_its_line(data: DataFolder, text: str, line: int, words: str) -> None:
    link = data.path.parent / "link"
    link.symlink_to(data.path)
    for word, path in (("DATA", data.path), ("ABOVE", data.path.parent), ("LINK", link)):
        text = text.replace(word, str(path))
    said = wrong(data, f"[folders]\n{text}")
    assert words in said
    assert f"line {line}" in said


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('of = "root"', 2, "should be"),
        ('of = "shared"', 1, "needs `shared_uid`"),
        ('of = "shared"\nshared_uid = 0', 1, "not root"),
        ("shared_uid = -1", 2, "greater than or equal"),
        ('uid_range = "0-10"', 2, "begin at 1000"),
        ('uid_range = "3000-2000"', 2, "like 20000-59999"),
        ('uid_range = "2000"', 2, "like 20000-59999"),
        ('uid_range = "2000-9999999999"', 2, "like 20000-59999"),
    ],
)
def test_no_setting_makes_a_task_root(data: DataFolder, text: str, line: int, words: str) -> None:
    said = wrong(data, f"[accounts]\n{text}")
    assert words in said
    assert f"line {line}" in said


def test_homes_may_lie_where_the_bench_keeps_them_itself(data: DataFolder) -> None:
    data.settings.write_text(f'[folders]\nhomes = "{data.path}/homes/{{name}}"\n[accounts]\nuid_range = "2000-2001"')
    found = settings.load(data)
    assert list(found.accounts.numbers) == [2000, 2001]
