"""Run in the Background in a real JupyterLab server: what it loads, whom it answers, and what it says to nobody."""

from __future__ import annotations

import json
import re
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.browser.serving import served
from tests.jupyterlab import OPENS, Lab, alone, jupyterlab
from tests.python_environment import CHECKOUT
from tests.unit.web.little_bench import FROM_SESSION, LittleBench, notebook

PACKAGE = CHECKOUT / "packages" / "drybench-session"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LittleBench]:
    with served(tmp_path_factory.mktemp("portal")) as bench:
        yield bench


@pytest.fixture(scope="module")
def lab(portal: LittleBench, python_environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    told = {"DRYBENCH_URL": portal.public, "DRYBENCH_TOKEN": FROM_SESSION, "DRYBENCH_ENVIRONMENT": "python"}
    with jupyterlab(python_environment, tmp_path_factory.mktemp("lab"), told) as lab:
        lab.write("work/wing.ipynb", notebook("print(step)", parameters="step = 2"))
        yield lab


def test_jupyterlab_and_its_server_take_it(python_environment: Path, tmp_path: Path) -> None:
    for words in (["labextension", "list"], ["server", "extension", "list"]):
        command = [str(python_environment / "bin/jupyter"), *words]
        done = subprocess.run(command, capture_output=True, text=True, env=alone(python_environment, tmp_path))
        said = re.sub(r"\x1b\[\d*m", "", done.stdout + done.stderr)
        assert re.search(r"drybench[-_]session\b.*\n?.*\bOK\b", said), said


def test_its_wheel_carries_both_halves_and_one_version(tmp_path: Path) -> None:
    build = ["uv", "build", "--quiet", "--wheel", "--no-build-isolation", "--out-dir", str(tmp_path), str(PACKAGE)]
    subprocess.run(build, check=True, cwd=CHECKOUT, env={**alone(CHECKOUT / ".venv", tmp_path), **_uv()})
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        names = wheel.namelist()
        place = "data/share/jupyter/labextensions/drybench-session"
        about = json.loads(wheel.read(next(name for name in names if name.endswith(f"{place}/package.json"))))
    static = {file.name for file in (PACKAGE / "labextension/static").iterdir()}
    assert {name.rpartition("/")[2] for name in names if f"{place}/static/" in name} == static
    assert about["jupyterlab"]["_build"]["load"] == "static/remoteEntry.js"
    assert any(name.endswith("etc/jupyter/jupyter_server_config.d/drybench_session.json") for name in names)
    assert f"drybench_session-{about['version']}.dist-info/METADATA" in names


def test_the_page_loads_it_from_its_own_server(lab: Lab) -> None:
    says = lab.page_says()
    ours = next(one for one in says["federated_extensions"] if one["name"] == "drybench-session")
    assert says["drybench"] == "here"
    script = lab.ask("GET", f"lab/extensions/drybench-session/{ours['load']}")
    assert "drybench-session" in script.text
    assert script.headers["cache-control"] == "no-cache"  # no name has a hash in it, so each is asked for again


def test_the_form_learns_what_there_is(lab: Lab) -> None:
    here = lab.ask("GET", "drybench/here").json()
    assert here["environment"] == "python"
    assert [one["name"] for one in here["environments"]] == ["python"]
    assert [one["name"] for one in here["sizes"]] == ["default", "large"]
    assert here["root"] == str(lab.home)
    found = lab.ask("POST", "drybench/inspect", {"path": "work/wing.ipynb"}).json()
    assert [one["name"] for one in found["parameters"]] == ["step"]


def test_a_run_gets_what_was_typed_and_the_folder_of_its_notebook(lab: Lab, portal: LittleBench) -> None:
    request = {"parameters": {"step": "99999999999999999999"}, "name": "from the lab", "environment": "python"}
    asked = {"path": "work/wing.ipynb", "key": "one", "request": request}
    run, again = (lab.ask("POST", "drybench/runs", asked) for _ in "ab")
    assert run.status_code == 201, run.text
    assert run.json()["id"] == again.json()["id"]
    assert run.json()["parameters"] == {"step": 99999999999999999999}
    assert portal.portal.run_folders.run_json(run.json()["id"])["folder"] == str(lab.home / "work")
    assert run.json()["url"] == f"{portal.public}/runs/{run.json()['id']}"
    listed = lab.ask("GET", "drybench/runs").json()["items"]
    assert [one["id"] for one in listed if one["name"] == "from the lab"] == [run.json()["id"]]
    assert lab.ask("GET", f"drybench/runs/{run.json()['id']}").json()["name"] == "from the lab"


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        ({"path": "work/gone.ipynb", "request": {}}, 404, "no_such_notebook"),
        ({"path": "../../etc/passwd", "request": {}}, 404, "no_such_notebook"),
        ({"path": "../outside.ipynb", "request": {}}, 404, "no_such_notebook"),
        ({"path": ".hidden.ipynb", "request": {}}, 404, "no_such_notebook"),
        ({"path": "latin.ipynb", "request": {}}, 404, "no_such_notebook"),
        ({"path": "work/wing.ipynb", "request": {"parameters": {"step": 4}}}, 422, "ask_wrong"),
        ({"path": "work/wing.ipynb", "request": {"parameters": {"step": "four"}}}, 422, "parameters_wrong"),
        ({"path": "work/wing.ipynb", "request": {"size": "vast"}}, 422, "no_such_size"),
        ({"path": 4}, 422, "ask_wrong"),
        ({"path": "work/wing.ipynb"}, 422, "ask_wrong"),
        ([], 422, "ask_wrong"),
        (None, 422, "ask_wrong"),
    ],
)
def test_bad_input_gets_a_sentence_and_a_next_step(lab: Lab, sent: Any, status: int, code: str) -> None:
    lab.write(".hidden.ipynb", notebook("1"))
    lab.write("../outside.ipynb", notebook("1"))
    lab.write("latin.ipynb", "{'é'}".encode("latin-1"))
    refused = lab.ask("POST", "drybench/runs", sent)
    assert (refused.status_code, refused.json()["code"]) == (status, code), refused.text
    assert refused.json()["sentence"]
    assert refused.json()["next_step"]


def test_strangers_and_foreign_pages_get_nothing(lab: Lab) -> None:
    for method, path in (("GET", "here"), ("GET", "runs"), ("POST", "runs"), ("POST", "inspect"), ("GET", "runs/1")):
        assert lab.ask(method, f"drybench/{path}", {}, token=None).status_code == 403
    with httpx.Client(base_url=lab.url, timeout=60, trust_env=False) as browser:
        browser.get(f"lab?token={OPENS}")
        sent = {"path": "work/wing.ipynb", "request": {"name": "by a foreign page"}}
        assert browser.post("drybench/runs", json=sent).status_code == 403
        xsrf = {"X-XSRFToken": browser.cookies["_xsrf"]}
        assert browser.post("drybench/runs", json=sent, headers=xsrf).status_code == 201
        foreign = {**xsrf, "Origin": "https://evil.example"}
        assert browser.post("drybench/runs", json=sent, headers=foreign).status_code in (403, 404)


def test_the_token_is_nowhere_to_be_read(lab: Lab) -> None:
    answers = [lab.ask("GET", path).text for path in ("lab", "drybench/here", "drybench/runs", "api/status")]
    assert not any(FROM_SESSION in text for text in [*answers, lab.log.read_text()])


def test_only_the_owner(portal: LittleBench, python_environment: Path, tmp_path: Path) -> None:
    told = {"DRYBENCH_URL": portal.public, "DRYBENCH_TOKEN": FROM_SESSION, "JUPYTERHUB_USER": "ada"}
    with jupyterlab(python_environment, tmp_path, told) as lab:
        refused = lab.ask("GET", "drybench/runs")  # by a guest: this server has no Hub to say who it is
    assert (refused.status_code, refused.json()["code"]) == (403, "not_the_owner")


def test_outside_a_session_there_is_nothing_to_ask(python_environment: Path, tmp_path: Path) -> None:
    with jupyterlab(python_environment, tmp_path, {}) as lab:
        assert "drybench" not in lab.page_says()
        assert lab.ask("GET", "drybench/here").status_code == 404


def _uv() -> dict[str, str]:
    from uv import find_uv_bin

    return {"PATH": f"{Path(find_uv_bin()).parent}:/usr/bin:/bin"}
