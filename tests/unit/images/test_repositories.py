"""A repository is fetched by a real git from a real server, and nothing of it is run."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from drybench.errors import BroughtWrong, PlaceNotAllowed, RepositoryNotHad, RepositoryWrong
from drybench.images import repositories
from drybench.images.repositories import checked_url, fetch
from drybench.notices.destinations import Destinations

WHO = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}


def git(folder: Path, *words: str) -> str:
    quiet = {**os.environ, **WHO, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(["git", *words], cwd=folder, env=quiet, check=True, capture_output=True, text=True).stdout


class Serving(BaseHTTPRequestHandler):
    """git's own program behind a web server, as it is meant to be."""

    root: Path
    goes_on = threading.Event()
    elsewhere = ""

    def do_GET(self) -> None:
        self.serve(b"")

    def do_POST(self) -> None:
        self.serve(self.rfile.read(int(self.headers.get("content-length", 0))))

    def serve(self, body: bytes) -> None:
        self.goes_on.wait()
        if self.elsewhere:
            self.send_response(302)
            self.send_header("location", self.elsewhere)
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        environ = {
            **{name: os.environ[name] for name in ("PATH",)},
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("content-type", ""),
            "GIT_PROTOCOL": self.headers.get("git-protocol", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("content-encoding", ""),
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
        }
        made = subprocess.run(["git", "http-backend"], input=body, env=environ, capture_output=True, check=False).stdout
        head, _, content = made.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines() if ": " in line)
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "served" / "project"
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / "requirements.txt").write_text("btrack\n")
    (folder / "notes").mkdir()
    (folder / "notes" / "read.md").write_text("hello\n")
    (folder / "link").symlink_to("/etc/passwd")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=first")
    return folder


@pytest.fixture
def address(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    goes_on = threading.Event()
    goes_on.set()
    monkeypatch.setattr(Serving, "goes_on", goes_on)
    serving = type("Here", (Serving,), {"root": project.parent})
    server = ThreadingHTTPServer(("127.0.0.1", 0), serving)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://localhost:{server.server_port}/project/.git"
    goes_on.set()
    server.shutdown()
    server.server_close()


def here(host: str, port: int) -> str:
    return "127.0.0.1"


def had(address: str, branch: str = "", **more: float) -> repositories.Fetched:
    return fetch(address, branch, here, ("http",), **more)


def test_its_files_and_its_commit_come(address: str, project: Path) -> None:
    fetched = had(address)
    files = {"requirements.txt": b"btrack\n", "notes/read.md": b"hello\n", "link": b"/etc/passwd"}
    assert fetched.files == files, "a link is where it leads to, in words"
    assert fetched.commit == git(project, "rev-parse", "HEAD").strip()


def test_a_branch_a_tag_and_the_folder_named_binder(address: str, project: Path) -> None:
    git(project, "checkout", "--quiet", "-b", "other")
    (project / "binder").mkdir()
    (project / "binder" / "apt.txt").write_text("ffmpeg\n")
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message=second")
    git(project, "tag", "v1")
    git(project, "checkout", "--quiet", "main")
    for which in ("other", "v1"):
        assert had(address, which).files == {"apt.txt": b"ffmpeg\n"}
    assert "requirements.txt" in had(address).files


def test_hooks_filters_and_submodules_do_nothing(address: str, project: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    for name in ("post-checkout", "reference-transaction", "post-merge"):
        hook = project / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {ran}\n")
        hook.chmod(0o755)
    (project / ".gitattributes").write_text("* filter=evil\n")
    (project / ".gitmodules").write_text(f'[submodule "x"]\n\tpath = x\n\turl = ext::sh -c "touch {ran}"\n')
    (project / ".lfsconfig").write_text("[lfs]\n\turl = http://localhost:1/\n")
    git(project, "add", ".")
    ran.unlink(missing_ok=True)
    git(project, "-c", "core.hooksPath=/dev/null", "commit", "--quiet", "--message=evil")
    ran.unlink(missing_ok=True)
    assert ".gitmodules" in had(address).files
    assert not ran.exists()


def test_one_that_is_not_there_says_so(address: str) -> None:
    with pytest.raises(RepositoryNotHad, match="not found"):
        had(address.replace("project", "nothing"))
    with pytest.raises(RepositoryNotHad, match=r"Remote branch .* not found"):
        had(address, "no-such-branch")


def test_one_without_anything_to_install_says_what_would_do(address: str, project: Path) -> None:
    git(project, "rm", "--quiet", "requirements.txt")
    git(project, "commit", "--quiet", "--message=gone")
    with pytest.raises(BroughtWrong, match=r"none of Dockerfile"):
        had(address)


def test_one_that_takes_too_long_or_is_too_large_is_left(
    address: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Serving.goes_on.clear()
    with pytest.raises(RepositoryNotHad, match="took too long"):
        had(address, patience=0.3)
    Serving.goes_on.set()
    (project / "big").write_bytes(os.urandom(3 << 20))
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message=big")
    monkeypatch.setattr(repositories, "MOST_BYTES", 1 << 20)
    with pytest.raises(RepositoryNotHad):
        had(address)


def test_a_redirect_leads_nowhere(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Serving, "elsewhere", "http://127.0.0.1:1/secret")
    with pytest.raises(RepositoryNotHad):
        had(address)


def test_it_connects_to_the_address_that_was_checked_whatever_the_name_leads_to(address: str) -> None:
    assert had(address.replace("localhost", "git.lab.example")).files


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "169.254.169.254", "[::1]", "10.0.0.1", "0x7f.1"])
def test_nothing_is_fetched_from_this_machine_or_the_network_around_it(host: str) -> None:
    with pytest.raises(PlaceNotAllowed):
        fetch(f"https://{host}/project", "", Destinations().checked)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "file:///etc",
        "/etc",
        "../x",
        "ext::sh -c touch% /tmp/x",
        "https::ext::sh",
        "--upload-pack=touch /tmp/x",
        "-u",
        "git@github.com:lab/x.git",
        "ssh://-oProxyCommand=id/x",
        "https://-x.example/y",
        "https:///y",
        "https://host",
        "https://user:secret@host/y",
        "https://token@host/y",
        "https://host:0/y",
        "https://host:99999/y",
        "https://host/y\nz",
        "https://host/y z",
        "https://host/`id`",
        "https://h\N{CYRILLIC SMALL LETTER O}st/y",
        "http://host/y",
        "https://" + "x" * 1000,
    ],
)
def test_addresses_that_git_never_sees(url: str) -> None:
    with pytest.raises(RepositoryWrong) as refused:
        checked_url(url)
    assert "secret" not in refused.value.sentence


@pytest.mark.parametrize("branch", ["-b", "--upload-pack=id", "a b", "a\nb", "$(id)", "..", "a" * 201])
def test_branches_that_git_never_sees(branch: str) -> None:
    with pytest.raises(RepositoryWrong):
        fetch("https://git.example/x", branch, here)


def test_no_scheme_of_gits_own_is_ever_let_through() -> None:
    for url in ("file:///etc", "ext::sh"):
        with pytest.raises(RepositoryWrong):
            checked_url(url, ("file", "ext", "https"))


def test_only_a_few_are_fetched_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes a thread for up to two minutes, and all pages share them."""
    monkeypatch.setattr(repositories, "AT_ONCE", threading.BoundedSemaphore(1))
    with repositories.AT_ONCE, pytest.raises(RepositoryNotHad, match="just now"):
        fetch("https://git.example/lab/tool", "", lambda host, port: "192.0.2.1")
    assert repositories.AT_ONCE.acquire(blocking=False)
