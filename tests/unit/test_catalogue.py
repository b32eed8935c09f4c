"""What there is to choose from, and why not where it cannot be used now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from drybench.catalogue import Catalogue, Desktops, ImageShelf, NoImages
from drybench.environment_folders import Library
from drybench.errors import EnvironmentBroken, ImageNotBuilt, ImageNotHere, NoContainersHere, NoSuchEnvironment
from drybench.model import App, Link

GOOD = 'title = "A title"\nsummary = "One line"\n'


BARE = Desktops()


class Shelf:
    """Of a Docker that answers."""

    def __init__(self, **images: str) -> None:
        self.away = ""
        self.there = {name.replace("__", "/").replace("_", ":"): digest for name, digest in images.items()}

    def digest(self, reference: str) -> str | None:
        return self.there.get(reference)

    def newest(self, repository: str) -> str | None:
        return next((name for name in self.there if name.rpartition(":")[0] == repository), None)

    def apps(self, digest: str) -> Sequence[App]:
        return (App("desktop", "Desktop"),)


@pytest.fixture
def catalogue_with(tmp_path: Path) -> object:
    for name, text, dockerfile in (
        ("built", f'{GOOD}kernels = ["python3", "ir"]', True),
        ("image", f'{GOOD}image = "lab/tool:1"', False),
        ("wrong", "title = 1", True),
    ):
        folder = tmp_path / "own" / name
        folder.mkdir(parents=True)
        (folder / "environment.toml").write_text(text)
        if dockerfile:
            (folder / "Dockerfile").write_text("FROM scratch")
    library = Library((tmp_path / "own",), {}, lambda recipe, above: "new")
    return lambda shelf, desktops: Catalogue({}, (), tmp_path, library, shelf, desktops)


def make(catalogue_with: object, shelf: ImageShelf, desktops: Desktops = BARE) -> Catalogue:
    assert callable(catalogue_with)
    return catalogue_with(shelf, desktops)


def test_only_what_can_be_used_is_there(catalogue_with: object) -> None:
    shelf = Shelf(drybench__built_new="sha256:1")
    catalogue = make(catalogue_with, shelf)
    (one,) = catalogue.environments()
    assert (one.name, one.digest, one.image) == ("built", "sha256:1", "drybench/built:new")
    assert catalogue.environment("built") == one
    shelf.there["lab/tool:1"] = "sha256:2"  # got meanwhile: nothing needs to be read again
    assert [one.name for one in catalogue.environments()] == ["built", "image"]


def test_all_are_offered_with_the_reason(catalogue_with: object) -> None:
    offers = {offer.environment.name: offer for offer in make(catalogue_with, Shelf()).offered()}
    kinds = {name: (type(offer.why_not), offer.remedy) for name, offer in offers.items()}
    assert kinds == {
        "built": (ImageNotBuilt, "build"),
        "image": (ImageNotHere, "pull"),
        "wrong": (EnvironmentBroken, "mend"),
    }
    assert list(offers)[-1] == "wrong"
    assert "line 1" in str(offers["wrong"].why_not)


@pytest.mark.parametrize(
    ("name", "error"),
    [("built", ImageNotBuilt), ("image", ImageNotHere), ("wrong", EnvironmentBroken), ("other", NoSuchEnvironment)],
)
def test_asked_for_by_name_it_says_why_not(catalogue_with: object, name: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        make(catalogue_with, Shelf()).environment(name)


def test_a_bench_without_containers_says_so(catalogue_with: object) -> None:
    catalogue = make(catalogue_with, NoImages("nobody here may use Docker"))
    assert not catalogue.environments()
    with pytest.raises(NoContainersHere, match="nobody here may use Docker"):
        catalogue.environment("built")


def test_an_older_image_serves_meanwhile(catalogue_with: object) -> None:
    offer = make(catalogue_with, Shelf(drybench__built_old="sha256:0")).offer("built")
    assert (offer.usable, offer.remedy) == (True, "build")
    assert (offer.environment.image, offer.environment.digest) == ("drybench/built:old", "sha256:0")


def test_what_was_known_holds_while_docker_is_away(catalogue_with: object) -> None:
    shelf = Shelf(drybench__built_new="sha256:1")
    shelf.away = "it does not answer"
    assert make(catalogue_with, shelf).environment("built").digest == "sha256:1"


def test_the_kernels_of_an_image_are_those_that_its_file_names(catalogue_with: object) -> None:
    catalogue = make(catalogue_with, Shelf(drybench__built_new="1", lab__tool_1="2"))
    assert [tuple(catalogue.kernels(one)) for one in catalogue.environments()] == [("python3", "ir"), ()]


def test_a_mended_one_is_there_when_it_is_read_again(catalogue_with: object, tmp_path: Path) -> None:
    catalogue = make(catalogue_with, Shelf())
    (tmp_path / "own/wrong/environment.toml").write_text(GOOD)
    assert [one.name for one in catalogue.broken()] == ["wrong"]
    catalogue.reread()
    assert not catalogue.broken()
    assert set(catalogue.recipes()) == {"built", "image", "wrong"}


def test_an_image_by_its_name_shows_the_apps_that_are_found_in_it_unless_its_file_lists_them(
    catalogue_with: object, tmp_path: Path
) -> None:
    catalogue = make(catalogue_with, Shelf(drybench__built_new="1", lab__tool_1="2"))
    apps = {one.name: [app.name for app in one.apps] for one in catalogue.environments()}
    assert apps == {"built": ["lab"], "image": ["lab", "desktop"]}
    listed = 'image = "lab/tool:1"\n[[apps]]\nname = "lab"\ntitle = "JupyterLab"\n'
    (tmp_path / "own/image/environment.toml").write_text(f"{GOOD}{listed}")
    catalogue.reread()
    assert [app.name for app in catalogue.environment("image").apps] == ["lab"]


@pytest.mark.parametrize(("found", "apps"), [((), ["lab"]), (("desktop", "napari"), ["lab", "desktop", "napari"])])
def test_this_machine_shows_what_it_has_a_screen_for(tmp_path: Path, found: Sequence[str], apps: Sequence[str]) -> None:
    (tmp_path / "venv/bin").mkdir(parents=True)
    (tmp_path / "venv/bin/python").touch()
    folder = tmp_path / "own" / "here"
    folder.mkdir(parents=True)
    listed = "".join(f'[[apps]]\nname = "{name}"\ntitle = "{name}"\n' for name in ("lab", "desktop", "napari"))
    (folder / "environment.toml").write_text(f'{GOOD}python = "{tmp_path}/venv"\n{listed}command = ["napari"]\n')
    library = Library((tmp_path / "own",), {}, lambda recipe, above: "new")
    desktops = Desktops(shows_here=lambda app: not app.has_screen or app.name in found)
    (one,) = Catalogue({}, (), tmp_path, library, desktops=desktops).environments()
    assert [app.name for app in one.apps] == apps


def test_the_keepers_background_and_links_are_on_desktops_alone(catalogue_with: object, tmp_path: Path) -> None:
    picture, links = tmp_path / "lab.png", (Link("The lab's pages", "https://lab.example"),)
    (tmp_path / "own/built/environment.toml").write_text(f'{GOOD}[[apps]]\nname = "desktop"\ntitle = "Desktop"\n')
    desktops = Desktops(picture, links)
    catalogue = make(catalogue_with, Shelf(drybench__built_new="sha256:1", lab__tool_1="sha256:2"), desktops)
    shown = {one.name: one for one in catalogue.environments()}
    assert (shown["built"].background, shown["built"].links) == (None, links)  # it is not there now
    picture.write_bytes(b"a picture")
    assert catalogue.environment("built").background == picture
    assert (shown["image"].background, shown["image"].links) == (None, ())
