"""What nobody should send, and what no task should leave behind: refused with a sentence, or shown as nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.bench import A_WHOLE_BENCH, Bench, new_bench
from tests.parts import leave_out
from tests.waiting import wait_for

LIMIT = 200_000  # bytes
SETTINGS = f'[runs]\nnotebook_limit = "{LIMIT // 1000} kB"\n[sizes.default]\nmemory = "500 MiB"\n'
PYTHON = {"kernelspec": {"name": "python3", "display_name": "Python 3"}, "language_info": {"name": "python"}}
SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(1)>".replace("/", "∕")  # a slash is refused
NOBODY = 65534
EVERYBODYS_PYTHON = shutil.which("python3", path="/usr/bin:/usr/local/bin") or ""
CONNECT = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1]); print('came in')"
AT_ONCE = 60.0  # seconds in which everything answers, whatever lies there, and whatever else is going on


@pytest.fixture(scope="module")
def small_bench() -> Iterator[Bench]:
    with new_bench(SETTINGS) as bench:
        yield bench


@pytest.fixture(scope="module")
def api(small_bench: Bench) -> Iterator[httpx.Client]:
    with small_bench.api(small_bench.token()) as client:
        yield client


def notebook(*sources: str, parameters: str | None = None, **more: Any) -> bytes:
    cells = [{"cell_type": "code", "source": source, "metadata": {}} for source in sources]
    if parameters is not None:
        cells.insert(0, {"cell_type": "code", "source": parameters, "metadata": {"tags": ["parameters"]}})
    cells = [cell | {"outputs": [], "execution_count": None} for cell in cells]
    return json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": PYTHON, "cells": cells} | more).encode()


def submit(api: httpx.Client, content: bytes, file: str = "analysis.ipynb", **asked: Any) -> httpx.Response:
    return api.post("/runs", files={"notebook": (file, content)}, data={"request": json.dumps(asked)})


class TestRefused:
    """At once, with a sentence and a next step, and nothing is queued."""

    @pytest.fixture(autouse=True)
    def nothing_is_queued(self, small_bench: Bench, api: httpx.Client) -> Iterator[None]:
        before = self.there(small_bench, api)
        yield
        assert self.there(small_bench, api) == before

    def there(self, bench: Bench, api: httpx.Client) -> tuple[list[str], list[Path]]:
        """By their ids: what is told of those that have ended goes on for a while."""
        return [run["id"] for run in api.get("/runs").json()["items"]], sorted(bench.data.runs.iterdir())

    def refused(self, answer: httpx.Response, code: str) -> str:
        said = answer.json()
        assert 400 <= answer.status_code < 500
        assert said["code"] == code, said
        assert said["sentence"]
        assert said["next_step"]
        return f"{said['sentence']} {said['next_step']}"

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"", "not_a_notebook"),
            (b"%PDF-1.7 \xff\xfe", "not_a_notebook"),
            (b'{"nbformat": 4, "cells": [', "not_a_notebook"),
            (b"[" * 100_000, "not_a_notebook"),
            (b'{"nbformat": 4, "cells": "none"}', "not_a_notebook"),
            (b'{"nbformat": 3, "worksheets": []}', "notebook_too_old"),
            (b'{"nbformat": 5, "cells": []}', "not_a_notebook"),
        ],
    )
    @pytest.mark.parametrize("path", ["/runs", "/notebooks/inspect"])
    def test_what_is_no_notebook(self, api: httpx.Client, path: str, content: bytes, code: str) -> None:
        self.refused(api.post(path, files={"notebook": ("x.ipynb", content)}), code)

    @pytest.mark.parametrize("size", [LIMIT + 1, LIMIT * 20])
    def test_one_too_large_is_refused_before_it_is_read(self, api: httpx.Client, size: int) -> None:
        said = self.refused(submit(api, b"{nonsense" + b" " * size), "too_large")
        assert "takes up to 200 KB" in said

    def test_one_that_comes_without_its_length(self, api: httpx.Client) -> None:
        begin = b'--x\r\nContent-Disposition: form-data; name="notebook"; filename="x.ipynb"\r\n\r\n'
        endless = (begin, *(b" " * 65536 for _ in range(64)))
        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        self.refused(api.post("/runs", content=iter(endless), headers=kind), "too_large")

    def test_no_kernel_by_that_name(self, api: httpx.Client) -> None:
        metadata = {"kernelspec": {"name": "cobol", "display_name": "COBOL"}}
        said = self.refused(submit(api, notebook("1", metadata=metadata)), "no_such_kernel")
        assert "cobol" in said
        assert "python3" in said

    @pytest.mark.parametrize(
        ("cell", "values", "code", "words"),
        [
            (None, {"a": 1}, "no_parameters_cell", "tagged `parameters`"),
            ("alpha = 0.5", {"alhpa": 1}, "parameters_wrong", "did you mean `alpha`?"),
            ("alpha = 0.5", {"alpha": "much"}, "parameters_wrong", "a number"),
            ("name: str = 'x'", {"name": 7}, "parameters_wrong", "is text"),
            ("alpha = 0.5", {"__import__('os')": 1}, "parameters_wrong", "cannot be the name"),
            ("alpha = 0.5", {"class": 1}, "parameters_wrong", "cannot be the name"),
            ("alpha = 0.5  # 0..1", {"alpha": 1.5}, "parameters_wrong", "from 0 to 1, not 1.5"),
            ("way = 'a'  # one of: a, b", {"way": "c"}, "parameters_wrong", 'one of "a", "b"'),
            ("x = None", {"x": float("nan")}, "parameters_wrong", "not plain JSON"),
            ("x = None", {"x": [{"deep": float("-inf")}]}, "parameters_wrong", "not plain JSON"),
            ("x = None", {"x": "a" * (1 << 20)}, "parameters_wrong", "1 MiB is the most"),
            ("x = None", {"x": json.loads("[" * 60 + "]" * 60)}, "parameters_wrong", "lists in each other"),
            ("x = None", {"x": "half \ud800"}, "request_wrong", "JSON"),
        ],
    )
    def test_parameters_that_do_not_fit(
        self, api: httpx.Client, cell: str | None, values: dict[str, Any], code: str, words: str
    ) -> None:
        assert words in self.refused(submit(api, notebook("1", parameters=cell), parameters=values), code)

    @pytest.mark.parametrize(
        "name", ["../up", "..", "a/b", "a\\b", "a\x00b", "a\nb", "\x1b[31mred", "txt.\u202egpj", "x" * 300]
    )
    def test_names(self, api: httpx.Client, name: str) -> None:
        self.refused(submit(api, notebook("1"), name=name), "name_not_allowed")

    @pytest.mark.parametrize("file", ["../../portal.sqlite", "..", "a\\..\\b.ipynb"])
    def test_names_of_files(self, api: httpx.Client, file: str) -> None:
        self.refused(submit(api, notebook("1"), file=file), "name_not_allowed")

    @pytest.mark.parametrize(
        ("asked", "code"),
        [
            ({"environment": "nowhere"}, "no_such_environment"),
            ({"size": "huge"}, "no_such_size"),
            ({"timeout": -1}, "timeout_wrong"),
            ({"cwd": "/no/such/folder"}, "no_such_folder"),
            ({"cwd": "relative"}, "no_such_folder"),
            ({"unheard": "of"}, "request_wrong"),
            ({"parameters": [1]}, "request_wrong"),
        ],
    )
    def test_what_is_not_there(self, api: httpx.Client, asked: dict[str, Any], code: str) -> None:
        self.refused(submit(api, notebook("1"), **asked), code)

    def test_no_notebook_at_all(self, api: httpx.Client) -> None:
        self.refused(api.post("/runs", data={"request": "{}"}), "no_notebook_sent")
        self.refused(api.post("/runs", json={}), "no_notebook_sent")
        self.refused(submit(api, notebook("1"), parameters="\ud800"), "request_wrong")

    def test_sessions(self, api: httpx.Client) -> None:
        for asked, code in (
            ({"environment": "nowhere"}, "no_such_environment"),
            ({"size": "huge"}, "no_such_size"),
            ({"app": "solitaire"}, "no_such_app"),
            ({"name": "../up"}, "session_name_wrong"),
            ({"name": "<script>"}, "session_name_wrong"),
            ({"name": 7}, "request_wrong"),
        ):
            self.refused(api.post("/sessions", json=asked), code)

    @pytest.mark.parametrize("content", [b"", b"%PDF", b'{"nbformat": 3}', b"{" + b" " * LIMIT])
    def test_the_command_line_says_it_too(self, small_bench: Bench, tmp_path: Path, content: bytes) -> None:
        file = tmp_path / "wrong.ipynb"
        file.write_bytes(content)
        ended = small_bench.run("run", file, "--wait")
        assert (ended.returncode, ended.stdout) == (2, "")
        assert "wrong.ipynb" in ended.stderr.splitlines()[0]


def test_a_name_and_values_like_script_are_shown_as_text(small_bench: Bench, api: httpx.Client) -> None:
    asked = submit(
        api, notebook("1", parameters="words = ''"), f"{SCRIPT}.ipynb", name=SCRIPT, parameters={"words": SCRIPT}
    )
    run = ended(api, asked.raise_for_status().json()["id"])
    assert run["name"] == SCRIPT
    with small_bench.signed_in() as browser:
        for path in ("/", "/runs", f"/runs/{run['id']}", "/runs?search=%3Cscript%3E"):
            page = browser.get(path, headers={"Accept": "text/html"}).text
            assert "alert(1)" in page, path
            assert "<script>alert" not in page, path
            assert "<img" not in page, path


@pytest.mark.parametrize(
    "path",
    [
        "/runs/{id}/files/..%2f..%2f..%2fgiven%2frun.json",
        "/runs/{id}/files/%2fetc%2fpasswd",
        "/runs/{id}%2f..%2fx",
        "/runs/..",
    ],
)
def test_no_path_leads_out(small_bench: Bench, api: httpx.Client, path: str) -> None:
    run = finished(api, "pass")
    assert api.get(path.format(id=run["id"])).status_code in (400, 404)


def ended(api: httpx.Client, id: str) -> dict[str, Any]:
    def look() -> Any:
        run = api.get(f"/runs/{id}").raise_for_status().json()
        return run if run["phase"] == "ended" else None

    return wait_for(look, A_WHOLE_BENCH)


def finished(api: httpx.Client, *sources: str) -> dict[str, Any]:
    return ended(api, submit(api, notebook(*sources)).raise_for_status().json()["id"])


class TestHostileTask:
    """It has its own account's rights, and leaves whatever it likes where its record is."""

    TRICKS = """
import os, socket
made = os.path.abspath('..')
os.symlink('/etc/passwd', 'passwd.txt')
os.symlink({ledger!r}, 'ledger.txt')
os.symlink('/proc/self/environ', 'environ.txt')
os.symlink('/etc', 'folder')
os.symlink('.', 'again')
os.mkfifo('fifo.txt')
kept = socket.socket(socket.AF_UNIX); os.chdir('.'); kept.bind('socket.txt')
try: os.mknod('device.txt', 0o20666, os.makedev(1, 5))
except PermissionError: pass
open('plain.txt', 'w').write('42')
open('.. .txt', 'w').write('odd')
"""

    def answers(self, bench: Bench, api: httpx.Client, run: dict[str, Any]) -> str:
        """All that pages and API say of it, each at once."""
        here = f"/runs/{run['id']}"
        said = [self.at_once(api, here + path) for path in ("", "/notebook", "/log", "/journal", "/files")]
        with bench.signed_in() as browser:
            said += [self.at_once(browser, path) for path in ("/", "/runs", here, f"{here}/notebook.html")]
        return "\n".join(said)

    def at_once(self, client: httpx.Client, path: str) -> str:
        began = time.monotonic()
        answer = client.get(path, headers={"Accept": "text/html, application/json"})
        assert answer.status_code == 200, (path, answer.text)
        assert time.monotonic() - began < AT_ONCE, path
        assert len(answer.content) < 10_000_000
        return answer.text

    def test_links_pipes_sockets_and_devices(self, small_bench: Bench, api: httpx.Client) -> None:
        tricks = self.TRICKS.format(ledger=str(small_bench.data.ledger))
        run = finished(api, tricks, "print('done')")
        assert run["outcome"] == "done", run["sentence"]
        assert "root:" not in self.answers(small_bench, api, run)
        listed = {file["path"] for file in api.get(f"/runs/{run['id']}/files").json()["items"]}
        assert listed == {"plain.txt", ".. .txt"}
        for name in ("passwd.txt", "ledger.txt", "environ.txt", "folder/passwd", "again/plain.txt"):
            assert api.get(f"/runs/{run['id']}/files/{name}").json()["code"] == "not_found"
        for name in ("fifo.txt", "socket.txt", "device.txt"):
            assert api.get(f"/runs/{run['id']}/files/{name}", timeout=AT_ONCE).json()["code"] == "not_found"
        assert api.get(f"/runs/{run['id']}/files/plain.txt").text == "42"

    @pytest.mark.parametrize("name", ["log.txt", "progress.jsonl", "notebook.ipynb"])
    @pytest.mark.parametrize("trick", ["os.symlink('/etc/passwd', f)", "os.mkfifo(f)", "os.mkdir(f)"])
    def test_in_the_place_of_its_record(self, small_bench: Bench, api: httpx.Client, name: str, trick: str) -> None:
        put = f"import os\nf = '../{name}'\nif os.path.exists(f): os.unlink(f)\n{trick}\nprint('after the trick')"
        run = finished(api, put)
        assert run["outcome"] in ("done", "failed"), run
        assert "root:" not in self.answers(small_bench, api, run)

    @pytest.mark.parametrize(
        "written",
        [
            "open(f, 'w').write('{nonsense')",
            "open(f, 'w').write('[]')",
            'open(f, \'w\').write(\'{"format": 1, "outcome": "splendid"}\')',
            "open(f, 'wb').write(b'[' * 1_000_000)",
            "open(f, 'wb').truncate(1 << 30)",
            "os.symlink('/etc/passwd', f)",
            "os.symlink('/dev/zero', f)",
            "os.mkfifo(f)",
        ],
    )
    def test_a_result_of_nonsense(self, small_bench: Bench, api: httpx.Client, written: str) -> None:
        """The task ends its runner, so that what it wrote is what counts."""
        end = "import signal, time\nos.kill(os.getppid(), signal.SIGKILL)\ntime.sleep(30)"
        run = finished(api, f"import os\nf = '../result.json'\n{written}\n{end}")
        assert run["outcome"] in ("failed", "lost"), run
        assert run["sentence"]
        assert run["next_step"]
        assert "root:" not in self.answers(small_bench, api, run)


class TestAnotherAccount:
    """Of this machine. It cannot even come to the socket's door."""

    @pytest.fixture(autouse=True)
    def reachable(self, small_bench: Bench) -> None:
        """Nothing above the data directory stands in the way."""
        if os.geteuid() != 0 or not EVERYBODYS_PYTHON:
            leave_out("Only root can act as somebody else of this machine, with a Python that everybody may run.")
        small_bench.data.path.parent.chmod(0o755)

    def as_nobody(self, program: str, *words: object, pass_fds: tuple[int, ...] = ()) -> str:
        ended = subprocess.run(
            [EVERYBODYS_PYTHON, "-I", "-S", "-c", program, *map(str, words)],
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            capture_output=True,
            text=True,
            pass_fds=pass_fds,
            cwd="/",
        )
        return ended.stdout.strip() or ended.stderr.strip().splitlines()[-1]

    def test_nothing_is_read(self, small_bench: Bench) -> None:
        data = small_bench.data
        for place in (data.path, data.secrets, data.ledger, data.runs, data.logs):
            look = "import os, sys; p = sys.argv[1]; os.listdir(p) if os.path.isdir(p) else open(p)"
            assert "PermissionError" in self.as_nobody(look, place)

    def test_the_socket_is_closed(self, small_bench: Bench) -> None:
        assert "PermissionError" in self.as_nobody(CONNECT, small_bench.data.socket)

    def test_also_to_one_who_has_the_folder_open(self, small_bench: Bench) -> None:
        folder = os.open(small_bench.data.path, os.O_PATH | os.O_DIRECTORY)
        try:
            assert "PermissionError" in self.as_nobody(
                CONNECT, f"/proc/self/fd/{folder}/portal.sock", pass_fds=(folder,)
            )
        finally:
            os.close(folder)
