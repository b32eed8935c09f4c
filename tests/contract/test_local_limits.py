"""What a local task may use, say, see and do to its folder."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from drybench.engines import local_watcher
from drybench.engines.base import Room
from drybench.engines.processes import Identity
from drybench.errors import NoSuchGpu
from drybench.phases import Reason, Seen, Sight
from tests.contract.conftest import Local
from tests.waiting import eventually

MIB = 1 << 20
EATS = "import time; eaten = [bytearray(b'x' * (8 << 20)) for _ in range(40)]; time.sleep(1000)"
SHARES = """
import os, time
eaten = bytearray(os.urandom(40 << 20))
for _ in range(6):
    if not os.fork():
        time.sleep(1000)
print("shared", flush=True)
time.sleep(1000)
"""
DEAF = "trap '' TERM; echo deaf; while true; do sleep 0.1; done"


async def test_memory_beyond_the_limit_ends_the_whole_task(local: Local) -> None:
    handle = await local.start("sh", "-c", f'{sys.executable} -c "{EATS}" & echo $!; wait', memory=100 * MIB)
    eater = await local.number(handle)
    assert (await local.ended(handle)).reason is Reason.OUT_OF_MEMORY
    assert Identity.of(eater) is None


async def test_memory_that_forked_workers_share_counts_once(local: Local) -> None:
    handle = await local.start(sys.executable, "-c", SHARES, memory=160 * MIB)
    await local.said(handle, "shared")
    usage = local.folder(handle) / "usage.json"
    await eventually(lambda: usage.exists() and json.loads(usage.read_text())["memory"] > 40 * MIB)
    sight = await local.sight(handle)
    assert sight.seen is Seen.RUNNING
    assert 40 * MIB < (sight.memory or 0) < 160 * MIB


async def test_cores_in_use_are_seen(local: Local) -> None:
    handle = await local.start("sh", "-c", "while true; do :; done")
    usage = local.folder(handle) / "usage.json"
    await eventually(lambda: usage.exists() and json.loads(usage.read_text())["cpu"] > 0.1)
    assert ((await local.sight(handle)).cpu or 0) > 0.1


async def test_the_kernel_takes_a_task_before_the_bench(local: Local) -> None:
    handle = await local.start("cat", "/proc/self/oom_score_adj")
    assert int(await local.said(handle, "\n")) >= local_watcher.OOM_SCORE


async def test_a_deaf_command_is_killed_when_its_time_is_up(local: Local) -> None:
    handle = await local.start("sh", "-c", DEAF)
    await local.said(handle, "deaf")
    await local.engine.stop(handle, 0.2)
    assert (await local.ended(handle)).exit_code == 137


async def test_a_second_stop_shortens_the_time(local: Local) -> None:
    handle = await local.start("sh", "-c", DEAF)
    await local.said(handle, "deaf")
    await local.engine.stop(handle, 1000)
    await local.engine.stop(handle, 0)
    assert (await local.ended(handle)).exit_code == 137


async def test_a_second_stop_is_not_a_second_sigterm(local: Local) -> None:
    """To a runner that would mean: never mind the notebook."""
    handle = await local.start("sh", "-c", "trap 'echo asked' TERM; echo up; while true; do sleep 0.05; done")
    await local.said(handle, "up")
    await local.engine.stop(handle, 1000)
    await local.said(handle, "asked")
    await local.engine.stop(handle, 1000)
    await local.engine.stop(handle, 0.3)
    await local.ended(handle)
    assert (await local.log(handle)).count(b"asked") == 1


async def test_a_stop_asks_the_process_group_and_lets_it_end_well(local: Local) -> None:
    handle = await local.start("sh", "-c", "trap 'echo bye; exit 7' TERM; echo up; sleep 1000 & wait")
    await local.said(handle, "up")
    await local.engine.stop(handle, 1000)
    assert (await local.ended(handle)).exit_code == 7
    assert await local.log(handle) == b"up\nbye\n"


async def test_a_task_stopped_before_its_command_never_has_one(local: Local) -> None:
    task = local.task("sh", "-c", "echo began")
    folder = local.tasks / task.id
    folder.mkdir()
    (folder / "stop.json").write_text('{"format": 1, "grace": 0}')
    handle = await local.engine.start(task, {})
    assert await local.ended(handle) == Sight(Seen.ENDED, reason=Reason.CANCELLED)
    assert await local.log(handle) == b""


@pytest.mark.parametrize(
    ("command", "more", "word"),
    [
        (("no-such-program",), {}, "no-such-program: No such file or directory"),
        (("true",), {"workdir": Path("/no/such/folder")}, "/no/such/folder: No such file or directory"),
        ((), {}, "the order cannot be carried out"),
    ],
)
async def test_what_cannot_be_started_says_why(
    local: Local, command: tuple[str, ...], more: dict[str, Path], word: str
) -> None:
    handle = await local.start(*command, **more)
    assert (await local.ended(handle)).reason is Reason.START_FAILED
    assert word in (await local.log(handle)).decode()


async def test_a_log_is_bounded_and_says_so(local: Local) -> None:
    handle = await local.start("sh", "-c", "head -c 80M /dev/zero; echo; echo last")
    await local.ended(handle)
    log = await local.log(handle)
    assert len(log) == local_watcher.LOG_LIMIT + len(local_watcher.LOG_FULL)
    assert log.endswith(local_watcher.LOG_FULL)


async def test_a_token_is_in_no_file_and_no_process_list(local: Local) -> None:
    token = f"token-{uuid4()}"
    handle = await local.start("sh", "-c", "echo ${#TOKEN}; exec sleep 1000", env={"TOKEN": token})
    assert await local.said(handle, "\n") == f"{len(token)}\n"
    assert _holding(token, "/proc", "[0-9]*/cmdline") == []
    assert _holding(token, f"/proc/{local.watcher(handle).pid}", "environ") == []
    assert _holding(token, str(local.tasks), "**/*") == []
    assert _holding(token, f"/proc/{local.command(handle).pid}", "environ") != []


async def test_nothing_of_the_bench_is_in_a_tasks_environment(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", "/bench")
    monkeypatch.setenv("PYTHONPATH", "/bench/lib")
    monkeypatch.setenv("PORTAL_SECRET", "x")
    monkeypatch.setenv("PATH", f"/bench/bin:{os.environ['PATH']}")
    monkeypatch.setenv("https_proxy", "http://proxy.lab:3128")
    handle = await local.start("env", env={"PYTHONPATH": "/hub", "PATH": "/hub/bin", "HOME": "/hub"})
    await local.ended(handle)
    found = dict(line.split("=", 1) for line in (await local.log(handle)).decode().splitlines())
    assert "bench" not in "".join(value for name, value in found.items() if not name.startswith("DRYBENCH_"))
    assert "PYTHONPATH" not in found
    assert found["PATH"].startswith("/usr/local/sbin:")
    assert found["HOME"] == str(Path.home())
    assert found["https_proxy"] == "http://proxy.lab:3128"
    assert (found["DRYBENCH_TASK"], found["DRYBENCH_TASK_DIR"]) == (
        handle["task"],
        str(local.folder(handle) / "own"),
    )


async def test_a_task_writes_files_that_others_may_read(local: Local, tmp_path: Path) -> None:
    await local.ended(await local.start("sh", "-c", "touch shared", workdir=tmp_path))
    assert (tmp_path / "shared").stat().st_mode & 0o777 == 0o644


ADDRESSES = {
    "a link": "ln -s /etc/passwd address.json",
    "a fifo": "mkfifo address.json",
    "a folder": "mkdir address.json",
    "a device": "ln -s /dev/zero address.json",
    "huge": "head -c 10M /dev/zero > address.json",
    "nonsense": "echo '[1, 2' > address.json",
    "a list": "echo '[1, 2]' > address.json",
    "deep": f"{sys.executable} -c \"print('[' * 60000)\" > address.json",
    "no port": 'echo \'{"format": 1, "port": 70000}\' > address.json',
    "a word": 'echo \'{"format": 1, "port": "80@evil"}\' > address.json',
    "a truth": 'echo \'{"format": 1, "port": true}\' > address.json',
    "a folder that is a link": "cd ..; mv own other; ln -s other own;"
    ' echo \'{"format": 1, "port": 80}\' > own/address.json',
}


@pytest.mark.parametrize("script", ADDRESSES.values(), ids=ADDRESSES.keys())
async def test_an_address_that_is_none_is_not_believed(local: Local, script: str) -> None:
    script = f'cd "$DRYBENCH_TASK_DIR"; {script}; echo made; exec sleep 1000'
    handle = await local.start("sh", "-c", script, needs_address=True)
    await local.said(handle, "made")
    sight = await local.sight(handle)
    assert (sight.seen, sight.address) == (Seen.RUNNING, None)


async def test_a_task_cannot_say_that_it_has_ended(local: Local) -> None:
    lie = '{"format": 1, "exit_code": 0, "signal": null, "reason": null, "ended_at": ""}'
    handle = await local.start(
        "sh", "-c", f"echo '{lie}' > $DRYBENCH_TASK_DIR/../exit.json; echo lied; exec sleep 1000"
    )
    await local.said(handle, "lied")
    assert (await local.sight(handle)).seen is Seen.RUNNING
    await local.engine.stop(handle, 5)
    assert (await local.ended(handle)).exit_code == 143


async def test_a_folder_that_cannot_be_read_is_not_gone(local: Local, tmp_path: Path) -> None:
    handle = await local.start("sleep", "1000")
    folder = local.folder(handle)
    folder.rename(tmp_path / "aside")
    folder.symlink_to(folder)
    for known in (handle, {"format": 1, "task": handle["task"]}):
        assert (await local.sight(known)).seen is Seen.UNREACHABLE
    folder.unlink()
    (tmp_path / "aside").rename(folder)
    assert (await local.sight(handle)).seen is Seen.RUNNING


async def test_a_removed_folder_does_not_make_a_living_task_gone(local: Local, tmp_path: Path) -> None:
    handle = await local.start("sleep", "1000")
    local.folder(handle).rename(tmp_path / "aside")
    assert (await local.sight(handle)).seen in (Seen.STARTING, Seen.RUNNING)
    (tmp_path / "aside").rename(local.folder(handle))


async def test_what_a_task_made_unwritable_is_forgotten_too(local: Local) -> None:
    script = "cd $DRYBENCH_TASK_DIR; mkdir -p deep/er; touch deep/er/file; chmod 500 deep/er deep; exit 0"
    handle = await local.start("sh", "-c", script)
    await local.ended(handle)
    await local.engine.forget(handle)
    assert list(local.tasks.iterdir()) == []


async def test_forgetting_what_still_runs_ends_it(local: Local) -> None:
    handle = await local.start("sleep", "1000")
    command = local.command(handle)
    await local.engine.forget(handle)
    assert not command.is_alive
    assert list(local.tasks.iterdir()) == []


def test_where_no_gpu_is_none_is_promised(local: Local) -> None:
    with pytest.raises(NoSuchGpu):
        local.engine.check(local.task("true", gpu_count=1))


async def test_room_is_what_the_settings_say(local: Local) -> None:
    assert await local.engine.room() == Room(2, 4 << 30)


def _holding(token: str, folder: str, pattern: str) -> list[Path]:
    return [path for path in Path(folder).glob(pattern) if token in str(path) or token in _text(path)]


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="replace")
    except OSError:  # a folder, or a process that has ended
        return ""
