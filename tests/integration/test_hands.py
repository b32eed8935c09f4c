"""What a task of another account wrote is read, moved and removed by the portal, be it root or not."""

from __future__ import annotations

import os
import stat
from functools import partial
from pathlib import Path

import aiodocker
import pytest

from drybench.errors import HandsTied
from drybench.model import Account
from drybench.people.hands import Hands, OwnHands, lend, strangers
from drybench.people.hands_in_a_container import LABEL, ContainerHands
from drybench.runs.run_folder import RunFolders
from drybench_runner import record
from tests.docker import BASE, docker
from tests.parts import leave_out
from tests.somebody import as_somebody, folder_of_somebody
from tests.waiting import wait_for

AT = "2026-01-01T12:00:00.000000Z"
RESULT = record.write_result(record.Result("done", AT, AT, cells=1, executed=1)).decode()
TASK = Account(23_456, 23_456)
CAREFUL = """
set -e; cd /run-folder/1/made; grep -q format ../../given/run.json; cat ../told/let_go.json >/dev/null
umask 027; echo '{"format": 1}' > progress.jsonl; umask 077
echo one > "$(mktemp -p output)"; mkdir -p output/deep/deeper; echo two > output/deep/deeper/two.csv
chmod 0 output/deep/deeper/two.csv output/deep/deeper; chmod 1700 output/deep
ln -s /run-folder/given output/link; mkfifo output/pipe; printf %s "$RESULT" > result.json; chmod 600 result.json
"""
FORBIDDEN = ("../../given/new", "../../given/run.json", "../new", "../told/new", "../../new")


@pytest.fixture
def root() -> None:
    if os.geteuid() != 0:
        leave_out("Only root can be root.")


def hands(url: str) -> ContainerHands:
    return ContainerHands(partial(aiodocker.Docker, url))


def made_run(data: Path, hands: Hands) -> RunFolders:
    (data / "runs").mkdir(mode=0o700)
    folders = RunFolders(data / "runs", hands)
    folders.make("r1", {"format": 1, "id": "r1"}, {"notebook.ipynb": b"{}"})
    folders.new_attempt("r1", 1, TASK)
    folders.tell("r1", 1, "let_go", {})
    return folders


def task(data: Path, script: str, account: Account = TASK) -> str:
    """As an engine mounts a run's folder."""
    run = data / "runs" / "r1"
    return docker(
        *("run", "--rm", "--network=none", "--cap-drop=ALL", f"--user={account.uid}:{account.gid}"),
        *("-v", f"{run}/given:/run-folder/given:ro", "-v", f"{run}/1:/run-folder/1:ro"),
        *("-v", f"{run}/1/made:/run-folder/1/made", "-e", f"RESULT={RESULT}", BASE, "sh", "-c", script),
    )


def watched(folders: RunFolders) -> tuple[str, int]:
    """While it runs; and nothing had to be done for it."""
    made = folders.path("r1") / "1" / "made"
    assert stat.S_ISREG((made / "progress.jsonl").stat().st_mode)
    with pytest.raises(PermissionError):
        (made / "result.json").read_bytes()
    return (made / "progress.jsonl").read_text(), folders.journal_length("r1", 1)


def read_and_removed(folders: RunFolders) -> tuple[list[bytes], list[str]]:
    made = folders.path("r1") / "1" / "made"
    result = folders.result("r1", 1)
    assert result is not None
    assert result["outcome"] == "done"
    folders.seal("r1", 1)
    assert os.geteuid() == 0 or strangers(made) == set()
    outputs = folders.outputs("r1", 1)
    contents: list[bytes] = []
    for one in outputs:
        with folders.open_output("r1", 1, one.path) as file:
            contents.append(file.read())
    (made / "output").chmod(0o755)
    (made / "output" / "deep" / "deeper").rename(made / "output" / "moved")
    folders.remove("r1")
    return contents, [left.name for left in folders.path("r1").parent.iterdir()]


def test_a_portal_that_is_not_root(docker_url: str) -> None:
    with folder_of_somebody() as data:
        folders = as_somebody(made_run, data, hands(docker_url))
        task(data, CAREFUL)
        as_somebody(watched, folders)
        contents, left = as_somebody(read_and_removed, folders)
    assert sorted(contents) == [b"one\n", b"two\n"]
    assert left == []
    wait_for(lambda: not docker("ps", "-aq", "--filter", f"label={LABEL}"))  # others may have theirs just now


def test_by_podman_as_well(docker_url: str, podman_url: str) -> None:
    socket = Path(podman_url.removeprefix("unix://"))
    socket.parent.chmod(0o755)
    socket.chmod(0o666)
    with folder_of_somebody() as data:
        folders = as_somebody(made_run, data, hands(podman_url))
        task(data, CAREFUL)
        contents, left = as_somebody(read_and_removed, folders)
        assert (sorted(contents), left) == ([b"one\n", b"two\n"], [])
        assert as_somebody(given_away, data / "home", hands(podman_url)) == (23_456, 23_457, 0o700)


def test_a_portal_that_is_root(docker_url: str, root: None, tmp_path: Path) -> None:
    folders = made_run(tmp_path, OwnHands())
    task(tmp_path, CAREFUL)
    assert (folders.path("r1") / "1" / "made" / "result.json").stat().st_uid == TASK.uid
    contents, left = read_and_removed(folders)
    assert sorted(contents) == [b"one\n", b"two\n"]
    assert left == []


@pytest.mark.parametrize("place", FORBIDDEN)
def test_a_task_writes_to_its_own_half_only(docker_url: str, place: str) -> None:
    with folder_of_somebody() as data:
        as_somebody(made_run, data, OwnHands())
        said = task(data, f"cd /run-folder/1/made; echo x 2>/dev/null >{place} && echo written || echo refused")
        assert said == "refused"


def test_no_other_account_of_this_machine_finds_it(docker_url: str) -> None:
    with folder_of_somebody() as data:
        as_somebody(made_run, data, OwnHands())
        assert stat.S_IMODE((data / "runs" / "r1").stat().st_mode) == 0o700
        said = docker(
            *("run", "--rm", "--network=none", "--cap-drop=ALL", "--user=34567:34567", "-v", f"{data}:/data", BASE),
            *("sh", "-c", "ls /data/runs/r1/1/made 2>&1 || true"),
        )
        assert "Permission denied" in said


def removed_unsealed(folders: RunFolders) -> list[str]:
    folders.remove("r1")
    return [left.name for left in folders.path("r1").parent.iterdir()]


def test_a_run_whose_end_nobody_saw_is_removed(docker_url: str) -> None:
    with folder_of_somebody() as data:
        folders = as_somebody(made_run, data, hands(docker_url))
        task(data, CAREFUL)
        assert as_somebody(removed_unsealed, folders) == []


def tied(folder: Path, hands: Hands) -> str:
    with pytest.raises(HandsTied) as refused:
        hands.take_back(folder)
    return str(refused.value)


def test_docker_away_is_said_and_changes_nothing(docker_url: str, tmp_path: Path) -> None:
    with folder_of_somebody() as data:
        folders = as_somebody(made_run, data, hands(f"unix://{tmp_path}/none.sock"))
        task(data, CAREFUL)
        said = as_somebody(tied, folders.path("r1") / "1" / "made", hands(f"unix://{tmp_path}/none.sock"))
        assert "cannot be had just now" in said
        assert as_somebody(removed_unsealed, RunFolders(data / "runs", hands(docker_url))) == []


def test_it_follows_no_link_out_of_the_folder(docker_url: str) -> None:
    with folder_of_somebody() as data:
        folders = as_somebody(made_run, data, hands(docker_url))
        task(data, "cd /run-folder/1/made/output; mkdir -m 700 x; ln -s /usr/bin x/l; ln -s / x/m")
        before = Path("/usr/bin").stat()
        as_somebody(removed_unsealed, folders)
        assert Path("/usr/bin").stat().st_mode == before.st_mode


def given_away(folder: Path, hands: Hands) -> tuple[int, int, int]:
    folder.mkdir(mode=0o700)
    hands.give(folder, 23_456, 23_457)
    about = folder.stat()
    return about.st_uid, about.st_gid, stat.S_IMODE(about.st_mode)


def test_a_new_folder_is_given_away(docker_url: str, root: None, tmp_path: Path) -> None:
    with folder_of_somebody() as data:
        assert as_somebody(given_away, data / "home", hands(docker_url)) == (23_456, 23_457, 0o700)
    assert given_away(tmp_path / "home", OwnHands()) == (23_456, 23_457, 0o700)


def test_what_is_ones_own_needs_nobody(tmp_path: Path) -> None:
    nobody = hands("unix:///nowhere.sock")
    nobody.give(tmp_path, os.geteuid(), os.getegid())
    nobody.take_back(tmp_path)
    before = tmp_path.stat().st_mode
    lend(tmp_path, None)
    lend(tmp_path, Account(os.geteuid(), 1))
    assert tmp_path.stat().st_mode == before
