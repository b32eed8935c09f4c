"""The Environments pages: what there is, builds with their logs, one's own, and what the keeper is asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from drybench.environment_files import FILE, Smoke
from drybench.errors import ImageWithoutSession, RepositoryNotHad
from drybench.images import bringing
from drybench.images.bringing import Bringing
from drybench.images.checking import Checked, Tried
from drybench.images.pruning import Leftover, Leftovers
from drybench.images.repositories import Fetched
from tests.unit.web.containers import Containers
from tests.unit.web.little_bench import ADA, BOB, FROM_SESSION, LittleBench, little_bench, notebook, xsrf

HOSTILE = "<script>alert(1)</script>"
BROKEN = 'title = "Broken"\nsummary = "x"\nsurprise = 1\n'


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[LittleBench]:
    """Ada keeps it; Bob works on it."""
    made = little_bench(tmp_path, with_containers=True)
    yield made
    containers(made).building.close()
    made.ledger.close()


def containers(bench: LittleBench) -> Containers:
    assert bench.containers
    return bench.containers


def bring(bench: LittleBench, name: str = "tracking", person: str = "ada", **more: Any) -> None:
    files = {"requirements.txt": b"btrack==0.6\n"}
    bench.portal.workshop.own.add(bench.person(person), Bringing(name, **{"files": files, **more}))


async def text(browser: httpx.AsyncClient, path: str) -> str:
    answer = await browser.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_the_catalogue_says_what_is_ready_and_why_the_rest_is_not(bench: LittleBench) -> None:
    containers(bench).shelf.put("drybench/base:0123456789ab", size=1 << 30)
    containers(bench).environment("broken", BROKEN)
    bench.portal.catalogue.reread()
    async with bench.client() as keeper, bench.client(BOB) as browser:
        page, bobs = await text(keeper, "/environments"), await text(browser, "/environments")
    assert "In a container · 1 GiB · built" in page
    assert "On this machine" in page
    assert "Needs an hour of patience" in page
    assert "The image of napari is not built yet." in page
    assert 'action="/environments/napari/build"' in page
    assert 'action="/environments/base/build"' not in page
    assert "line 3" in page
    assert "there is no key `surprise`".replace("`surprise`", "<code>surprise</code>") in page
    assert "surprise" not in bobs
    assert "/build" not in bobs.partition('id="wishes"')[0]
    assert "Ask the keeper" in bobs


async def test_without_docker_it_says_so_and_how_to_get_it(bench: LittleBench) -> None:
    containers(bench).shelf.away = "Docker does not answer (no such file)"
    async with bench.client() as keeper, bench.client(BOB) as browser:
        page, bobs = await text(keeper, "/environments"), await text(browser, "/environments")
    for one in (page, bobs):
        assert "Docker does not answer (no such file)" in one
    assert "sudo apt install docker.io" in page
    assert "The keeper of this bench can set Docker or Podman up." in bobs


async def test_one_environment_shows_what_is_inside(bench: LittleBench) -> None:
    folder = containers(bench).environment("napari", (containers(bench).folder / "napari" / FILE).read_text())
    (folder / "requirements.lock").write_text("napari==0.5.6 \\\n    --hash=sha256:00\nnumpy==2.1.0\n")
    (containers(bench).folder / "base" / "requirements.lock").write_text("numpy==2.0.0\njupyterlab==4.3.0\n")
    containers(bench).shelf.put("drybench/napari:0123456789ab")
    bench.portal.catalogue.reread()
    async with bench.client() as browser, bench.program() as program:
        page = await text(browser, "/environments/napari")
        picture = await browser.get("/environments/base/picture")
        said = (await program.get("/environments/napari")).json()
        assert (await browser.get("/environments/nothing")).status_code == 404 or 422
    assert "3 Python packages" in page
    assert "drybench/napari:0123456789ab" in page
    assert "sha256:0000" in page
    assert [(one["name"], one["version"], one["of"]) for one in said["packages"]] == [
        ("napari", "0.5.6", "napari"),
        ("numpy", "2.1.0", "napari"),
        ("jupyterlab", "4.3.0", "base"),
    ]
    assert picture.headers["content-type"] == "image/svg+xml"
    assert "sandbox" in picture.headers["content-security-policy"]


async def test_a_picture_is_a_picture_beside_its_file(bench: LittleBench, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    folder = containers(bench).environment("linked", 'title = "x"\nsummary = "x"\npicture = "picture.png"\n')
    (folder / "picture.png").symlink_to(tmp_path / "secret")
    bench.portal.catalogue.reread()
    async with bench.client() as browser:
        assert (await browser.get("/environments/linked/picture")).status_code == 404


async def test_a_build_goes_from_the_button_to_its_log_and_its_end(bench: LittleBench) -> None:
    async with bench.client() as browser:
        begun = await browser.post("/environments/napari/build", headers=xsrf())
        assert begun.status_code == 303
        [id] = containers(bench).building.begun
        writer = containers(bench).building.begun[id]
        writer.say("Step 1/3 : FROM base")
        page = await text(browser, begun.headers["location"])
        assert "step 1 of 3 of napari" in page
        assert "RUN apt-get update" in page
        assert "Step 1/3 : FROM base" in page
        assert "Cancel the build" in page
        assert "Show the build" in await text(browser, "/environments")
        writer.end("failed", problem="E: no package nappari", step=2, doing="RUN apt-get install nappari")
        failed = await text(browser, f"/builds/{id}")
        assert "It failed at step 2 of 3." in failed
        assert "RUN apt-get install nappari" in failed
        assert "E: no package nappari" in failed
        assert "Build again" in failed
        assert "Its last build failed" in await text(browser, "/environments")


async def test_a_build_can_be_cancelled(bench: LittleBench) -> None:
    async with bench.client() as browser, bench.program() as program:
        build = (await program.post("/environments/base/build", json={"fresh": True})).json()
        assert (build["state"], build["fresh"]) == ("building", True)
        assert (await browser.post(f"/builds/{build['id']}/cancel", headers=xsrf())).status_code == 303
        assert (await program.get(f"/builds/{build['id']}")).json()["state"] == "cancelled"
        assert [one["id"] for one in (await program.get("/builds")).json()["items"]] == [build["id"]]


async def test_a_build_that_waits_in_line_says_how_many_go_first(bench: LittleBench) -> None:
    async with bench.client() as browser, bench.program() as program:
        id = (await program.post("/environments/base/build")).json()["id"]
        writer = containers(bench).building.begun[id]
        for ahead, said in ((2, "2 other builds go first"), (1, "1 other build goes first")):
            writer.note(state="waiting", ahead=ahead, step=0, steps=0)
            assert f"In line: {said}" in await text(browser, f"/builds/{id}")
            assert (await program.get(f"/builds/{id}")).json()["ahead"] == ahead


async def test_a_log_of_anything_is_shown_as_text(bench: LittleBench) -> None:
    begun = containers(bench).building.begin("base")
    writer = containers(bench).building.begun[begun.id]
    writer.note(doing=HOSTILE, problem=HOSTILE)
    for line in (HOSTILE, "\x1b[31mred\x1b[0m", "y" * 10_000_000, "after"):
        writer.say(line)
    async with bench.client() as browser, bench.program() as program:
        page = await text(browser, f"/builds/{begun.id}")
        seen, since = "", 0
        for _ in range(50):
            part = await program.get(f"/builds/{begun.id}/log", params={"since": since})
            seen, since = seen + part.text, int(part.headers["drybench-next"])
        writer.end("failed", problem=HOSTILE)
        listed = await text(browser, "/environments")
    assert HOSTILE not in page + listed
    assert "&lt;script&gt;" in page
    assert "red\n" in seen
    assert "\x1b" not in seen + page
    assert seen.endswith("after\n")
    assert part.headers["content-type"] == "text/plain; charset=utf-8"
    assert len(seen) < 1_000_000
    assert len(page) < 600_000


async def test_only_the_keeper_builds(bench: LittleBench) -> None:
    build = containers(bench).building.begin("base")
    async with bench.client(BOB) as browser, bench.program(BOB) as program, bench.program(FROM_SESSION) as session:
        refused = await browser.post("/environments/napari/build", headers=xsrf(BOB))
        assert refused.status_code == 403
        assert "Only the keeper of this bench may build images." in refused.text
        assert "Ask ada" in refused.text
        assert (await program.post("/environments/napari/build")).status_code == 403
        assert (await browser.post(f"/builds/{build.id}/cancel", headers=xsrf(BOB))).status_code == 403
        assert (await session.post("/environments/napari/build")).status_code == 403
        seen = await text(browser, f"/builds/{build.id}")
    assert "Cancel the build" not in seen
    assert len(containers(bench).building.begun) == 1


async def test_what_somebody_brings_is_theirs_until_the_keeper_offers_it(bench: LittleBench) -> None:
    bring(bench, "bobs", "bob")
    async with bench.client(BOB) as browser, bench.client() as keeper, bench.program(ADA) as program:
        mine = await text(browser, "/environments/bobs")
        assert "requirements.txt" in mine
        assert "Remove the environment" in mine
        assert "Offer it to everybody" not in mine
        assert "Build" not in mine.partition("Latest builds")[0].partition('class="deeds"')[2].partition("</div>")[0]
        assert "Offer it to everybody" in await text(keeper, "/environments/bobs")
        bench.tokens.known["token-of-eve"] = bench.tokens.known[BOB].__class__(
            "eve", frozenset(), frozenset({"custom:drybench:all"})
        )
        async with bench.client("token-of-eve") as eve:
            assert "bobs" not in await text(eve, "/environments")
            assert (await eve.get("/environments/bobs")).status_code in (404, 422)
            offered = await program.post("/environments/bobs/offer", json={"everybody": True})
            assert offered.json()["everybody"]
            assert "bobs" in await text(eve, "/environments")
            assert (await eve.post("/environments/bobs/remove", headers=xsrf("token-of-eve"))).status_code in (404, 422)
        assert (await browser.post("/environments/bobs/remove", headers=xsrf(BOB))).status_code == 303
        assert "bobs" not in await text(keeper, "/environments")


async def test_files_are_brought_by_the_form(bench: LittleBench) -> None:
    files = [
        ("folder_files", ("mine/requirements.txt", b"btrack\n")),
        ("folder_files", ("mine/.git/config", b"[core]")),
    ]
    data = {"name": "tracking", "title": "Tracking & more", "on": "base", "everybody": "on", "build": "on"}
    async with bench.client() as browser:
        made = await browser.post("/environments/new", data=data, files=files, headers=xsrf())
        assert made.status_code == 303, made.text
        assert made.headers["location"].startswith("/builds/")
        assert "Tracking &amp; more" in await text(browser, "/environments/tracking")
    folder = bench.data.own_environments / "tracking"
    assert sorted(one.name for one in folder.iterdir()) == ["Dockerfile", FILE, "requirements.txt"]
    recipe = bench.portal.catalogue.recipe("tracking")
    assert (recipe.environment.on, recipe.environment.apps[0].title) == ("base", "JupyterLab")


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ({"name": "Tracking"}, "cannot be an environment&#39;s name"),
        ({"name": "base"}, "There is an environment named base already"),
        ({"name": "tracking", "on": "nothing"}, "There is no environment “nothing”"),
        ({"name": "tracking", "on": "python"}, "has no image to build it on"),
        ({"name": "tracking", "image": "evil/image"}, "one of an image&#39;s name, a repository, or files"),
        ({"name": "tracking", "folder": "/etc"}, "one of an image&#39;s name, a repository, or files"),
    ],
)
async def test_what_is_refused_is_said_above_the_form_and_what_was_typed_stays(
    bench: LittleBench, field: dict[str, str], said: str
) -> None:
    files = {"files": ("requirements.txt", b"numpy")}
    async with bench.client() as browser:
        refused = await browser.post(
            "/environments/new", data={"title": "My title", **field}, files=files, headers=xsrf()
        )
    assert refused.status_code in (409, 422)
    assert said in refused.text
    assert 'value="My title"' in refused.text
    assert not (bench.data.own_environments / "tracking").exists()


async def test_an_image_by_its_name_is_for_the_keeper_to_allow(bench: LittleBench, tmp_path: Path) -> None:
    ask = {"request": json.dumps({"name": "scipy", "image": "quay.io/jupyter/scipy-notebook:2024-01-15"})}
    async with bench.program() as program, bench.client() as browser:
        refused = await program.post("/environments", data=ask)
        assert (refused.status_code, refused.json()["code"]) == (403, "images_not_by_name")
        assert "as it is, by its name" not in await text(browser, "/environments/new")
    allowing = little_bench(tmp_path / "allowing", with_containers=True, images={"allow_by_name": True})
    async with allowing.program() as program, allowing.client() as browser:
        assert "as it is, by its name" in await text(browser, "/environments/new")
        made = (await program.post("/environments", data=ask)).json()
        assert (made["remedy"], made["usable"]) == ("pull", False)
        build = (await program.post("/environments/scipy/build")).json()
        assert build["pull"]
    containers(allowing).building.close()
    allowing.ledger.close()


async def test_a_folder_of_this_machine_is_one_that_is_shown(bench: LittleBench, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "apt.txt").write_text("ffmpeg\n")
    (tmp_path / "mine" / "secret.txt").symlink_to("/etc/passwd")
    async with bench.program() as program:
        for name, folder, status in (("a", "/etc", 422), ("b", str(bench.data.path), 422), ("c", "~/mine", 201)):
            answer = await program.post("/environments", data={"request": json.dumps({"name": name, "folder": folder})})
            assert answer.status_code == status, answer.text
    assert not (bench.data.own_environments / "c" / "secret.txt").exists()


async def test_a_repository_is_fetched_once_and_its_commit_is_kept(
    bench: LittleBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []

    def fetch(url: str, branch: str) -> Fetched:
        asked.append((url, branch))
        if "nowhere" in url:
            raise RepositoryNotHad(url=url, why="there is none")
        return Fetched({"requirements.txt": b"btrack"}, "c0ffee")

    monkeypatch.setattr(bench.portal.workshop.own, "_fetch", fetch)
    async with bench.program() as program, bench.client() as browser:
        for url, status in (("https://git.example/lab/tracking", 201), ("https://git.example/nowhere", 422)):
            ask = {"name": "tracking" if status == 201 else "other", "repository": url, "branch": "main"}
            answer = await program.post("/environments", data={"request": json.dumps(ask)})
            assert answer.status_code == status
        page = await text(browser, "/environments/tracking")
    assert asked[0] == ("https://git.example/lab/tracking", "main")
    assert "c0ffee" in page
    assert "https://git.example/lab/tracking (main)" in page


@pytest.mark.parametrize(
    "url",
    ["file:///etc", "ext::sh -c id", "--upload-pack=id", "ssh://-oProxyCommand=id/x", "https://a:b@git.example/x"],
)
async def test_a_hostile_address_of_a_repository_is_refused_before_anything(bench: LittleBench, url: str) -> None:
    async with bench.program() as program:
        ask = {"request": json.dumps({"name": "tracking", "repository": url})}
        answer = await program.post("/environments", data=ask)
    assert (answer.status_code, answer.json()["code"]) == (422, "repository_wrong")
    assert "a:b@" not in answer.text


async def test_one_person_brings_no_more_than_some(bench: LittleBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bringing, "MOST", 1)
    bring(bench)
    async with bench.program() as program:
        ask = {"request": json.dumps({"name": "second"})}
        answer = await program.post("/environments", data=ask, files={"files": ("apt.txt", b"ffmpeg")})
    assert answer.json()["code"] == "too_many_brought"


async def test_a_dockerfile_that_is_too_large_is_refused(bench: LittleBench) -> None:
    ask = {"request": json.dumps({"name": "large"})}
    async with bench.program() as program:
        large = await program.post("/environments", data=ask, files={"files": ("Dockerfile", b"#" * (65 << 10))})
        larger = await program.post("/environments", data=ask, files={"files": ("x", b"#" * (30 << 20))})
    assert (large.status_code, larger.status_code) == (422, 413)
    assert "Dockerfile is longer than 64 KiB" in large.json()["sentence"]


async def test_what_was_removed_stays_its_persons(bench: LittleBench) -> None:
    """Its builds tell what was in it, and its image serves whoever has that name."""
    bring(bench, "bobs", "bob")
    writer = bench.portal.workshop.builds.begin("bobs", "drybench/bobs:000000000000")
    writer.say("password: 1234")
    writer.end("done")
    bench.tokens.known["token-of-eve"] = replace(bench.tokens.known[BOB], name="eve")
    own = bench.portal.workshop.own
    async with bench.client(BOB) as browser, bench.program("token-of-eve") as eve:
        assert (await browser.post("/environments/bobs/remove", headers=xsrf(BOB))).status_code == 303
        assert (await eve.get("/builds")).json()["items"] == []
        assert (await eve.get(f"/builds/{writer.build.id}/log")).status_code == 404
        assert "1234" in await text(browser, f"/builds/{writer.build.id}")
        asked = {"request": '{"name": "bobs"}'}
        files = [("files", ("requirements.txt", b"numpy"))]
        taken = await eve.post("/environments", data=asked, files=files)
        assert taken.json()["code"] == "environment_name_in_use"
    bring(bench, "bobs", "bob")
    assert own.may_see(bench.ledger.person_seen("bob"), "bobs")


async def test_nobody_else_sees_what_was_kept_and_not_yet_noted(
    bench: LittleBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the portal is killed in the middle."""

    class Killed(BaseException): ...

    def killed(self: Path, target: Path) -> Path:
        raise Killed

    own = bench.portal.workshop.own
    with monkeypatch.context() as killing:
        killing.setattr(Path, "rename", killed)
        with pytest.raises(Killed):
            bring(bench, "bobs", "bob")
    assert not own.may_see(bench.ledger.person_seen("eve"), "bobs")
    bring(bench, "bobs", "bob")


async def test_whoever_may_build_what_they_bring_needs_no_keeper(tmp_path: Path) -> None:
    bench = little_bench(tmp_path, with_containers=True, images={"people_build": True})
    bring(bench, "bobs", "bob")
    async with bench.program(BOB) as program:
        assert (await program.post("/environments/bobs/build")).status_code == 201
        assert (await program.post("/environments/base/build")).status_code == 403
    containers(bench).building.close()
    bench.ledger.close()


async def test_a_word_to_the_keeper_is_listed_and_answered(bench: LittleBench) -> None:
    async with bench.client(BOB) as browser, bench.client() as keeper, bench.program(BOB) as program:
        asked = await browser.post(
            "/environments/wishes", data={"what": f"ilastik {HOSTILE}", "why": "to\nsegment"}, headers=xsrf(BOB)
        )
        assert "The keeper has it." in asked.text
        assert HOSTILE not in asked.text
        [wish] = (await program.get("/wishes")).json()["items"]
        page = await text(keeper, "/environments")
        assert "bob ·" in page
        assert "to\nsegment" in page
        refused = await browser.post(f"/environments/wishes/{wish['id']}/answer", headers=xsrf(BOB))
        assert refused.status_code == 404
        await keeper.post(f"/environments/wishes/{wish['id']}/answer", data={"answer": "In napari."}, headers=xsrf())
        assert "In napari." in await text(browser, "/environments")
        for number in range(4):
            assert (await program.post("/wishes", json={"what": f"{number}", "why": "x"})).status_code == 201
        assert (await program.post("/wishes", json={"what": "x", "why": "x"})).json()["code"] == "too_many_wishes"


@pytest.mark.parametrize(("what", "why"), [("", "x"), ("x", " \n "), ("x" * 101, "x"), ("x", "x" * 1001)])
async def test_a_wish_says_what_and_why_and_not_too_much(bench: LittleBench, what: str, why: str) -> None:
    async with bench.client(BOB) as browser:
        refused = await browser.post("/environments/wishes", data={"what": what, "why": why}, headers=xsrf(BOB))
    assert refused.status_code == 422
    assert bench.portal.workshop.wishes.every() == []


async def test_the_list_for_programs_has_the_reasons_where_they_are_wanted(bench: LittleBench) -> None:
    async with bench.program(FROM_SESSION) as program:
        usable = (await program.get("/environments")).json()["items"]
        every = (await program.get("/environments", params={"all": "true"})).json()["items"]
    assert [one["name"] for one in usable] == ["python"]
    assert {one["name"]: one["state"] for one in every} == {
        "python": "ready",
        "base": "not built",
        "napari": "not built",
    }
    assert every[1]["next_step"]


async def test_a_check_says_what_each_test_said_and_what_is_lacking(bench: LittleBench) -> None:
    containers(bench).shelf.put("drybench/base:0123456789ab")
    async with bench.client() as browser, bench.program() as program, bench.program(BOB) as bobs:
        assert 'action="/environments/base/check"' in await text(browser, "/environments/base")
        assert 'action="/environments/napari/check"' not in await text(browser, "/environments/napari")
        assert (await bobs.post("/environments/base/check")).json()["sentence"].endswith("may try images.")
        assert (await browser.post("/environments/base/check", headers=xsrf())).status_code == 303
        assert "being tried" in await text(browser, "/environments/base")
        tried = (
            Tried(Smoke("A notebook runs", ("true",)), True, 1.2, ""),
            Tried(Smoke(f"It {HOSTILE}", ("false",)), False, 3.4, f"\x1b[31m{HOSTILE}\x1b[0m"),
        )
        lacks = (ImageWithoutSession(image="base", missing="jupyterhub"),)
        checked = Checked("base", "drybench/base:0123456789ab", 1, ("python3",), tried, lacks)
        trial = containers(bench).tending.trials["base"]
        containers(bench).tending.trials["base"] = replace(trial, checked=checked)
        page = await text(browser, "/environments/base")
        said = (await program.get("/environments/base")).json()["trial"]
    assert "not all is well" in page
    assert "A notebook runs" in page
    assert HOSTILE not in page
    assert "\x1b" not in page
    assert (said["well"], [one["passed"] for one in said["tried"]]) == (False, [True, False])
    assert said["lacks"][0]["code"] == "image_without_session"


async def test_room_is_made_once_the_bytes_were_said(bench: LittleBench) -> None:
    old = (Leftover("sha256:" + "1" * 64, ("drybench/base:111111111111",), 3 << 30), Leftover("sha256:2", (), 1 << 20))
    containers(bench).tending.unused = Leftovers(old, 2 << 30)
    containers(bench).tending.kept = old[1:]
    async with bench.client() as browser, bench.program() as program, bench.client(BOB) as bobs:
        assert (await bobs.get("/environments/unused")).status_code == 403
        assert (await bobs.post("/environments/unused", headers=xsrf(BOB))).status_code == 403
        page = await text(browser, "/environments/unused")
        assert "drybench/base:111111111111" in page
        assert "2 images go, and 2 GiB become free." in page
        assert (await program.get("/images/unused")).json()["freed"] == 2 << 30
        removed = await browser.post("/environments/unused", headers=xsrf())
        assert "1 removed, 2 GiB free. 1 stayed, for something is made from them." in removed.text
        assert (await program.post("/images/prune")).json()["kept"][0]["id"] == "sha256:2"


async def test_versions_say_what_still_uses_them(bench: LittleBench) -> None:
    shelf = containers(bench).shelf
    shelf.put("drybench/base:aaaaaaaaaaaa", 5 << 20)
    shelf.put("drybench/base:0123456789ab", 6 << 20)
    session = bench.session("lab")
    bench.ledger.write_task(session.task.id, {"spec": replace(session.task.spec, image="drybench/base:aaaaaaaaaaaa")})
    async with bench.program() as program, bench.client() as browser:
        versions = (await program.get("/environments/base")).json()["versions"]
        page = await text(browser, "/environments/base")
    assert [(one["names"], one["used"]) for one in versions] == [
        (["drybench/base:aaaaaaaaaaaa"], 1),
        (["drybench/base:0123456789ab"], 0),
    ]
    assert "1 at work" in page
    assert "the next ones" in page


async def test_what_can_be_used_is_offered_and_the_rest_is_said_in_a_few_words(bench: LittleBench) -> None:
    bring(bench, "bobs", "bob")
    async with bench.client() as browser, bench.client(BOB) as bobs:
        for path in ("/", "/runs/new"):
            assert "bobs" in await text(bobs, path)
        home, form = await text(browser, "/"), await text(browser, "/runs/new")
        containers(bench).shelf.away = "Docker does not answer"
        assert "Not ready: Base, napari, bobs (no containers here now)." in await text(browser, "/")
    assert "Not ready: Base, napari, bobs (not built yet)." in home
    assert 'name="environment" value="napari"' not in home
    assert 'name="environment" value="python"' in home
    assert '<option value="napari" disabled>napari (not built yet)</option>' in form


async def test_nobody_starts_what_somebody_else_has_brought(bench: LittleBench) -> None:
    bring(bench, "mine")
    containers(bench).shelf.put("drybench/mine:0123456789ab")
    async with bench.program(BOB) as program:
        session = await program.post("/sessions", json={"environment": "mine"})
        run = await program.post(
            "/runs", files={"notebook": ("a.ipynb", notebook("1")), "request": (None, '{"environment": "mine"}')}
        )
        none = await program.post("/sessions", json={"environment": "nothing"})
    assert (session.status_code, run.status_code, none.status_code) == (404, 404, 422)


@pytest.mark.parametrize("path", ["/sessions", "/runs", "/sweeps"])
async def test_a_name_that_is_not_there_lists_only_what_this_person_may_use(bench: LittleBench, path: str) -> None:
    bring(bench, "mine", title="Unpublished")
    containers(bench).shelf.put("drybench/base:0123456789ab")
    containers(bench).shelf.put("drybench/mine:0123456789ab")
    async with bench.program(BOB) as other, bench.program() as owner:
        refused, told = await ask(other, path, "nothing"), await ask(owner, path, "nothing")
    assert refused.json()["next_step"] == "Choose one of: base, python."
    assert told.json()["next_step"] == "Choose one of: base, mine, python."


@pytest.mark.parametrize("path", ["/sessions", "/runs"])
async def test_of_what_is_not_theirs_nobody_hears_its_title(bench: LittleBench, path: str) -> None:
    bring(bench, "mine", title="Unpublished")
    async with bench.program(BOB) as program:
        refused = await ask(program, path, "mine")
    assert (refused.status_code, "Unpublished" in refused.text) == (404, False)


async def ask(program: httpx.AsyncClient, path: str, environment: str) -> httpx.Response:
    if path == "/sessions":
        return await program.post(path, json={"environment": environment})
    request = json.dumps({"environment": environment, **({"sweep": {"grid": {}}} if path == "/sweeps" else {})})
    return await program.post(path, files={"notebook": ("a.ipynb", notebook("1")), "request": (None, request)})
