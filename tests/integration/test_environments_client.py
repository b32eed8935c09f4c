"""What Bench and `drybench` do with environments, against a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from drybench.images.tending import Trial
from drybench_client import Bench, errors
from drybench_client.cli import call
from tests.browser.serving import served
from tests.unit.web.containers import Containers
from tests.unit.web.little_bench import ADA, BOB, LittleBench


@pytest.fixture
def here(tmp_path: Path) -> Iterator[LittleBench]:
    with served(tmp_path, with_containers=True, images={"people_build": True}) as made:
        yield made
        containers(made).building.close()


@pytest.fixture
def bench(here: LittleBench) -> Iterator[Bench]:
    with Bench(here.public, ADA) as opened:
        yield opened


def containers(here: LittleBench) -> Containers:
    assert here.containers
    return here.containers


def test_a_folder_is_brought_and_built_and_its_log_is_read_to_its_end(
    bench: Bench, here: LittleBench, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    (folder / "inner").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("[core]")
    (folder / "Dockerfile").write_text("COPY inner/a.txt /a.txt\n")
    (folder / "inner" / "a.txt").write_text("a")
    (folder / "link").symlink_to("/etc/passwd")
    made = bench.bring("tracking", folder, title="Tracking", on="base", build=True)
    assert (made["title"], made["source"], made["whose"]) == ("Tracking", "Dockerfile", "ada")
    kept = here.data.own_environments / "tracking"
    assert {str(one.relative_to(kept)) for one in kept.rglob("*") if one.is_file()} == {
        "Dockerfile",
        "environment.toml",
        "inner/a.txt",
    }
    [build] = bench.builds()
    writer = containers(here).building.begun[build["id"]]
    writer.say("Step 1/1 : COPY")
    writer.end("done", digest="sha256:1")
    assert "".join(bench.build_log(build)) == "Step 1/1 : COPY\n"
    assert bench.get_build(build)["state"] == "done"
    bench.remove_environment("tracking")
    with pytest.raises(errors.NotFound):
        bench.environment("tracking")


@pytest.mark.parametrize("name", ["../builds", "..", ".", "", "a/b", "?all=true"])
def test_a_name_leads_to_no_other_address(bench: Bench, name: str) -> None:
    with pytest.raises(errors.NotFound):
        bench.environment(name)


def test_what_cannot_be_brought_says_why(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(errors.Refused, match="no file or folder"):
        bench.bring("tracking", tmp_path / "nothing")
    with pytest.raises(errors.Refused, match="no repository that is fetched"):
        bench.bring("tracking", repository="file:///etc")
    with pytest.raises(errors.NotAllowed, match="by their names"):
        bench.bring("tracking", image="quay.io/jupyter/scipy-notebook")


def test_a_wish_goes_to_the_keeper_and_the_answer_comes_back(bench: Bench, here: LittleBench) -> None:
    with Bench(here.public, BOB) as bobs:
        wish = bobs.ask_for_program("ilastik", "to segment")
        with pytest.raises(errors.NotFound):
            bobs.answer_wish(wish, "mine")
        assert bench.answer_wish(wish, "In napari.")["answered_at"]
        [mine] = bobs.wishes()
    assert (mine["answer"], [one["person"] for one in bench.wishes()]) == ("In napari.", ["bob"])


def test_the_command_line_says_it_all(
    here: LittleBench, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRYBENCH_TOKEN", ADA)
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("btrack==0.6\n")

    def say(*words: str) -> tuple[int, str]:
        code = call([*words, "--bench", here.public])
        return code, "".join(capsys.readouterr())

    assert say("environments", "add", "tracking", str(requirements), "--title", "Tracking")[0] == 0
    code, said = say("environments", "show", "tracking")
    assert code == 0
    assert "btrack 0.6" in said
    assert "The image of Tracking is not built yet." in said
    assert "not built" in say("environments", "--all")[1]
    assert "python" in say("environments")[1]
    assert say("environments", "offer", "tracking", "--everybody")[0] == 0
    assert say("environments", "add")[0] == 2
    containers(here).tending.trials["tracking"] = Trial(datetime.now(UTC), problem="Its image is gone.")
    code, said = say("environments", "check", "tracking")
    assert (code, "Its image is gone." in said) == (1, True)
    assert "The keeper has it" in say("environments", "ask", "ilastik", "to segment")[1]
    assert "ilastik" in say("wishes")[1]
    [wish] = json.loads(say("wishes", "--json")[1])["items"]
    assert "In napari." in say("wishes", wish["id"], "In napari.")[1]
    assert say("environments", "remove", "tracking")[0] == 0
    assert say("environments", "show", "tracking")[0] == 2
