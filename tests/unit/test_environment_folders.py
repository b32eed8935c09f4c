"""Environments are read from folders: a wrong one is named with its line, and the others still load."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from drybench.environment_files import Broken, Recipe, Smoke
from drybench.environment_folders import SHIPPED, Library, parents
from drybench.images.context import Options, arguments
from drybench.images.hashing import Hashing
from drybench.images.pruning import _OURS  # pyright: ignore[reportPrivateUsage]
from drybench.images.whose import NEVER, Brought, Whose
from drybench.model import Person

GOOD = 'title = "A title"\nsummary = "One line"\n'
TERMINAL = '[[apps]]\nname = "terminal"\ntitle = "Terminal"\n'
ENTRY = "[Desktop Entry]\nType=Application\nName=Fiji\nExec=fiji %F\n"
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, text: str = GOOD, dockerfile: str = "FROM scratch\n", place: str = "own") -> Path:
        folder = tmp_path / place / name
        folder.mkdir(parents=True)
        (folder / "environment.toml").write_text(text)
        if dockerfile:
            (folder / "Dockerfile").write_text(dockerfile)
        return folder

    return write


def library(tmp_path: Path, *places: str, **pythons: Path) -> Library:
    return Library([tmp_path / place for place in places or ("own",)], pythons, lambda recipe, above: "1" * 12)


def the_broken(tmp_path: Path) -> Broken:
    (found,) = library(tmp_path).read().broken
    return found


def test_all_that_can_be_said(tmp_path: Path, write: Write) -> None:
    text = (
        'title = "napari"\nsummary = "Pictures"\npicture = "napari.svg"\nsize = "large"\nneeds = ["a screen"]\n'
        'on = "base"\npreload = ["numpy"]\nkernels = ["python3"]\nentrypoint = true\nengine = "docker2"\n'
        '[[apps]]\nname = "lab"\ntitle = "JupyterLab"\n[[apps]]\nname = "desktop"\ntitle = "Desktop"\n'
        '[[apps]]\nname = "napari"\ntitle = "napari"\ncommand = ["napari", "--reset"]\n'
        '[[smoke]]\ntitle = "It draws"\ncommand = ["python", "draw.py"]\ntimeout = 30\n'
    )
    (write("napari", text) / "napari.svg").write_text("<svg/>")
    write("base")
    found = library(tmp_path).read()
    recipe = found.recipes["napari"]
    one = recipe.environment
    assert not found.broken
    assert (one.title, one.size, one.needs, one.preload) == ("napari", "large", ("a screen",), ("numpy",))
    assert (one.image, one.on, one.entrypoint, one.engine) == ("drybench/napari:111111111111", "base", True, "docker2")
    assert [(app.name, app.command, app.has_screen) for app in one.apps] == [
        ("lab", (), False),
        ("desktop", (), True),
        ("napari", ("napari", "--reset"), True),
    ]
    assert recipe.smoke == (Smoke("It draws", ("python", "draw.py"), 30),)
    assert recipe.picture == recipe.folder / "napari.svg"
    assert (recipe.kernels, recipe.dockerfile, recipe.shipped) == (("python3",), True, False)
    assert [above.name for above in parents(recipe, found.recipes)] == ["base"]


def test_an_image_by_its_name_or_a_python_on_the_machine(tmp_path: Path, write: Write) -> None:
    (tmp_path / "venv/bin").mkdir(parents=True)
    (tmp_path / "venv/bin/python").touch()
    write("image", f'{GOOD}image = "registry.example:5000/lab/tool"', "")
    write("venv", f'{GOOD}python = "{tmp_path}/venv"', "")
    found = library(tmp_path).read()
    image, venv = (found.recipes[name].environment for name in ("image", "venv"))
    assert (image.image, image.engine, image.python) == ("registry.example:5000/lab/tool:latest", "docker", None)
    assert (venv.image, venv.engine, venv.python) == (None, "local", tmp_path / "venv")


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("title = \n", 1, "this is not TOML"),
        (f"{GOOD}\n\nsize =\n", 5, "this is not TOML"),
        ('summary = "s"\n', 1, "`title` is missing"),
        (f"{GOOD}colour = 1\n", 3, "there is no key `colour`"),
        (f"{GOOD}\nneeds = 1\n", 4, "`needs` "),
        (f'{GOOD}[[apps]]\nname = "lab"\ntitle = "L"\n\n[[apps]]\nname = "Big"\ntitle = "B"\n', 8, "cannot be 'Big'"),
        (f'{GOOD}[[apps]]\nname = "lab"\n', 3, "`apps.0.title` is missing"),
        (f'{GOOD}[[apps]]\nname = "desktop"\ntitle = "D"\ncommand = ["x"]\n', 3, "needs no `command`"),
        (f'{GOOD}[[apps]]\nname = "api"\ntitle = "A"\n', 4, "`apps.0.name` cannot be `api`"),
        (f'{GOOD}{TERMINAL}\n[[apps]]\ntitle = "A"\nname = "tree"\n', 9, "`apps.1.name` cannot be `tree`"),
        (f"{GOOD}{2 * TERMINAL}", 3, "has `terminal` twice"),
        (f'{GOOD}[[smoke]]\ntitle = "s"\ncommand = []\n', 5, "`smoke.0.command`"),
        (f'{GOOD}picture = "not-there.svg"\n', 3, "no file not-there.svg beside it"),
        (f'{GOOD}picture = "../../etc/passwd"\n', 3, "`picture` cannot be"),
        (f'{GOOD}on = "nobody"\n', 3, "no environment nobody"),
        (f'{GOOD}image = "a b"\n', 3, "`image` cannot be"),
        (f'{GOOD}python = "/nowhere"\n', 3, "no Python environment in /nowhere"),
        (f'{GOOD}python = "/p"\nimage = "i"\n', 1, "either `python` or `image`"),
        (f'{GOOD}preload = ["os; rm"]\n', 3, "`preload.0` cannot be"),
    ],
)
def test_a_wrong_one_is_named_with_its_line(tmp_path: Path, write: Write, text: str, line: int, problem: str) -> None:
    write("good")
    write("wrong", text)
    broken = the_broken(tmp_path)
    assert (broken.name, broken.file, broken.line) == ("wrong", tmp_path / "own/wrong/environment.toml", line)
    assert problem in broken.problem
    assert set(library(tmp_path).read().recipes) == {"good"}


# A session's own server answers there: an app of that name could not be opened, or would hide what is there
@pytest.mark.parametrize(
    "name",
    [
        *(
            "api",
            "drybench",
            "files",
            "hub",
            "kernels",
            "kernelspecs",
            "login",
            "logout",
            "lsp",
            "metrics",
            "nbconvert",
        ),
        *("notebooks", "static", "terminals", "tree", "user", "view"),
    ],
)
def test_no_app_has_the_name_of_something_else(tmp_path: Path, write: Write, name: str) -> None:
    write("wrong", f'{GOOD}[[apps]]\nname = "{name}"\ntitle = "A"\ncommand = ["a"]\n')
    broken = the_broken(tmp_path)
    assert (broken.line, broken.problem) == (
        4,
        f"`apps.0.name` cannot be `{name}`, which is something else in a session",
    )


def test_programs_for_its_desktop(tmp_path: Path, write: Write) -> None:
    folder = write("good")
    (folder / "fiji.desktop").write_text(f"# of the lab\n\n{ENTRY}Name[de]=Fidschi\n\n[Desktop Action new]\nwhatever\n")
    (folder / "help.desktop").write_text("[Desktop Entry]\nType=Link\nName=Help\nURL=https://lab.example\n")
    (folder / "elsewhere.desktop").symlink_to("/etc/passwd")
    assert not library(tmp_path).read().broken


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("", 1, "does not begin with [Desktop Entry]"),
        ("# a comment\n[Desktop]\n", 2, "does not begin with [Desktop Entry]"),
        (f"{ENTRY}\nwithout equals\n", 6, "“without equals” is no `Key=Value`"),
        (f"{ENTRY}Name=Twice\n", 5, "`Name` is said twice"),
        (f"{ENTRY}Terminal=yes\n", 5, "`Terminal` is true or false"),
        (ENTRY.replace("%F", "%x"), 4, "`Exec` has %x"),
        (ENTRY.replace("%F", "100%"), 4, "`Exec` has %"),
        (ENTRY.replace("fiji", '"fiji'), 4, "never closed"),
        (ENTRY.replace("Application", "Program"), 2, "`Type` is Application or Link, not “Program”"),
        (ENTRY.replace("Type=Application\n", ""), 1, "`Type` is missing"),
        (ENTRY.replace("Exec=fiji %F\n", ""), 1, "`Exec` is missing"),
        (ENTRY.replace("Application", "Link"), 1, "`URL` is missing"),
        (ENTRY.replace("Fiji", ""), 1, "`Name` is missing"),
        (ENTRY + "# and so on\n" * 10_000, 1, "larger than 64 KiB"),
    ],
)
def test_a_program_that_no_desktop_would_show_is_named_with_its_line(
    tmp_path: Path, write: Write, text: str, line: int, problem: str
) -> None:
    write("good")
    (write("wrong") / "fiji.desktop").write_text(text)
    broken = the_broken(tmp_path)
    assert (broken.name, broken.file, broken.line) == ("wrong", tmp_path / "own/wrong/fiji.desktop", line)
    assert problem in broken.problem
    assert set(library(tmp_path).read().recipes) == {"good"}


def test_a_program_beside_an_image_that_is_not_made_here(tmp_path: Path, write: Write) -> None:
    (write("wrong", f'{GOOD}image = "lab/tool:1"', "") / "fiji.desktop").write_text(ENTRY)
    assert "goes with a Dockerfile" in the_broken(tmp_path).problem


def test_without_anything_to_be_made_from(tmp_path: Path, write: Write) -> None:
    write("nothing", dockerfile="")
    assert the_broken(tmp_path).problem == "it needs `image`, `python`, or a Dockerfile beside it"


@pytest.mark.parametrize("name", ["Big", "1st", "with space", "x" * 31, "ends-"])
def test_a_folder_whose_name_cannot_be_one(tmp_path: Path, write: Write, name: str) -> None:
    write(name)
    assert "cannot be named" in the_broken(tmp_path).problem


def test_bytes_that_are_no_text(tmp_path: Path, write: Write) -> None:
    (write("odd") / "environment.toml").write_bytes(b"title = '\xff'")
    assert "cannot be read" in the_broken(tmp_path).problem


def test_a_file_that_nobody_would_write(tmp_path: Path, write: Write) -> None:
    write("large", GOOD + "# and so on\n" * 10_000)
    assert the_broken(tmp_path).problem == "it is larger than 64 KiB"


def test_what_goes_into_an_image_cannot_be_read(tmp_path: Path, write: Write) -> None:
    write("good")
    write("bad")

    def hash_of(recipe: Recipe, above: Sequence[Recipe]) -> str:
        if recipe.name == "bad":
            raise PermissionError("not yours")
        return "1"

    found = Library((tmp_path / "own",), {}, hash_of).read()
    assert [(one.name, one.problem) for one in found.broken] == [
        ("bad", "what its image is made of cannot be read (not yours)")
    ]
    assert set(found.recipes) == {"good"}


def test_in_a_circle(tmp_path: Path, write: Write) -> None:
    write("one", f'{GOOD}on = "two"')
    write("two", f'{GOOD}on = "one"')
    write("three", f'{GOOD}on = "one"')
    found = library(tmp_path).read()
    assert sorted(one.name for one in found.broken) == ["one", "three", "two"]
    assert not found.recipes
    assert {one.line for one in found.broken} == {3}


def test_on_what_has_no_image(tmp_path: Path, write: Write) -> None:
    (tmp_path / "venv/bin").mkdir(parents=True)
    (tmp_path / "venv/bin/python").touch()
    write("venv", f'{GOOD}python = "{tmp_path}/venv"', "")
    write("above", f'{GOOD}on = "venv"')
    assert the_broken(tmp_path).problem == "venv has no image to build it on"


def test_the_first_of_a_name_counts(tmp_path: Path, write: Write) -> None:
    first = write("same", place="first")
    write("same", place="second")
    found = library(tmp_path, "first", "second", "not-there").read()
    assert found.recipes["same"].folder == first
    assert [one.file.parent.parent.name for one in found.broken] == ["second"]
    assert str(first) in found.broken[0].problem


def test_an_image_that_people_built_never_passes_for_the_keepers(tmp_path: Path, write: Write) -> None:
    """Not even where they had the name first, and the keeper takes it when it is free again."""
    write("stats", place="people")
    write("plain", place="keeper")
    folders = (tmp_path / "keeper", tmp_path / "people")
    found = Library(folders, {}, lambda recipe, above: "1" * 12, brought=folders[1]).read().recipes
    images = {name: recipe.environment.image for name, recipe in found.items()}
    assert images == {"stats": "drybench/stats.own:111111111111", "plain": "drybench/plain:111111111111"}
    assert all(_OURS.fullmatch(image or "") for image in images.values())


def test_the_keepers_arguments_go_to_no_dockerfile_that_people_bring(tmp_path: Path, write: Write) -> None:
    asks = "ARG TOKEN\nFROM scratch\nRUN echo $TOKEN\n"
    write("stats", place="people", dockerfile=asks)
    write("plain", place="keeper", dockerfile=asks)
    folders = (tmp_path / "keeper", tmp_path / "people")
    said = {"TOKEN": "secret"}
    found = Library(folders, {}, Hashing("ours", said), brought=folders[1]).read().recipes
    given = {name: arguments(recipe, None, Options(arguments=said)) for name, recipe in found.items()}
    assert given == {"plain": said, "stats": {}}


def test_what_the_bench_has_itself_is_nobodys_own(tmp_path: Path, write: Write) -> None:
    """A name that somebody had first may come with a later Drybench."""
    whose = Whose(tmp_path / "people", lambda: "keeper", (tmp_path / "shipped",))
    whose.write(Brought("stats", "1", "mallory", False, "", "", NEVER))
    assert not whose.may_see(Person("2", "ada"), "stats")
    write("stats", place="shipped")
    assert whose.may_see(Person("2", "ada"), "stats")


def test_what_comes_with_drybench_is_whole(tmp_path: Path) -> None:
    found = Library((SHIPPED,), {"python": tmp_path}, lambda recipe, above: "0" * 12).read()
    assert not found.broken
    assert found.recipes["python"].environment.python == tmp_path
    assert all(isinstance(one, Recipe) and one.shipped for one in found.recipes.values())
    assert [one.name for one in parents(found.recipes["napari"], found.recipes)] == ["desktop", "base"]
