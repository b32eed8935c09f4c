"""Images are built from folders, by a real Docker: what is said, kept, cancelled, and done once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from drybench.errors import (
    BuildFailed,
    DockerAway,
    ImageNotBuilt,
    NoMemoryForBuild,
    NoRegistry,
    NoRoomForImage,
    NothingToBuild,
    StepFailed,
)
from drybench.images.building import SHARES
from drybench.images.context import Options
from drybench.images.known import ENVIRONMENT, SOURCE
from tests.docker import BASE, docker, docker_url
from tests.image_bench import ImageBench, image_bench
from tests.waiting import eventually

__all__ = ["docker_url"]


@pytest.fixture
def bench(tmp_path: Path, docker_url: str) -> Iterator[ImageBench]:
    with image_bench(tmp_path, docker_url) as bench:
        bench.write_both()
        yield bench


async def test_parents_come_first_and_nothing_is_done_twice(bench: ImageBench) -> None:
    await bench.images.look()
    with pytest.raises(ImageNotBuilt, match="not built yet"):
        bench.catalogue.environment(bench.high)
    said = await bench.build(bench.high)
    low, high = (bench.catalogue.environment(name) for name in (bench.low, bench.high))
    assert said.index(f"{bench.low}: building {low.image}") < said.index(f"{bench.high}: building {high.image}")
    assert bench.mark in said
    assert bench.run(bench.high, "cat", "/low", "/high").split() == [bench.mark, "high"]

    present = bench.images.image(high.image or "")
    assert present
    assert (present.id, present.environment) == (high.digest, bench.high)
    assert high.image == f"drybench/{bench.high}:{present.labels[SOURCE]}"
    assert present.labels[ENVIRONMENT] == bench.high
    assert present.size > 10**7

    again = await bench.build(bench.high)
    assert again == [f"{bench.low}: {low.image} is here", f"{bench.high}: {high.image} is here"]


async def test_a_build_leaves_a_record_and_its_log(bench: ImageBench) -> None:
    said = await bench.build(bench.low)
    build = bench.builds.newest(bench.low)
    assert build
    assert (build.state, build.step, build.steps, build.is_over) == ("done", 5, 5, True)  # three of them set labels
    assert build.digest == bench.catalogue.environment(bench.low).digest
    assert bench.builds.log(build.id).decode().splitlines() == said
    assert bench.builds.log(build.id, since=len(said[0]) + 1).decode().splitlines() == said[1:]


async def test_the_failing_step_is_named_and_what_it_said(bench: ImageBench) -> None:
    bench.write(bench.low, f"FROM {BASE}\nRUN echo well\nRUN echo 'no such thing' >&2; exit 7\nRUN echo never\n")
    with pytest.raises(StepFailed) as failed:
        await bench.build(bench.high)
    sentence = failed.value.sentence
    assert f"The image of {bench.low} could not be built: step 3 of 7, RUN echo 'no such thing'" in sentence
    assert "returned a non-zero code: 7" in sentence
    assert sentence.endswith("It said: no such thing")
    build = bench.builds.newest(bench.high)
    assert build
    assert (build.state, build.now, build.step, build.problem) == ("failed", bench.low, 3, sentence)
    log = bench.builds.log(build.id).decode()
    assert "well" in log
    assert "never" not in log.replace("RUN echo never", "")
    assert "log.txt" in failed.value.step

    bench.write(bench.low, f"FROM {BASE}\nRUN echo well\nRUN echo mended > /low\n")
    await bench.build(bench.high)
    assert bench.run(bench.high, "cat", "/low") == "mended"


async def test_a_full_disk_is_said_to_be_one(bench: ImageBench) -> None:
    bench.write(bench.low, f"FROM {BASE}\nRUN echo 'write failed: No space left on device' >&2; exit 1\n")
    with pytest.raises(NoRoomForImage) as full:
        await bench.build(bench.low)
    assert "drybench images prune" in full.value.step


async def test_a_dockerfile_that_is_none(bench: ImageBench) -> None:
    bench.write(bench.low, "FRAM debian\n")
    with pytest.raises(BuildFailed, match="FRAM"):
        await bench.build(bench.low)


async def test_docker_is_away(bench: ImageBench) -> None:
    bench.url = "unix:///nowhere.sock"
    with pytest.raises(DockerAway):
        await bench.build(bench.low)
    build = bench.builds.newest(bench.low)
    assert build
    assert (build.state, build.problem) == ("failed", DockerAway().sentence)
    await bench.images.look()
    assert "does not answer" in bench.images.away


async def test_fresh_asks_nothing_of_what_was_done_before(bench: ImageBench) -> None:
    bench.write(bench.low, f"FROM {BASE}\nRUN cat /proc/sys/kernel/random/uuid > /low\n")
    await bench.build(bench.low)
    first = bench.run(bench.low, "cat", "/low")
    await bench.build(bench.low)
    assert bench.run(bench.low, "cat", "/low") == first
    await bench.build(bench.low, fresh=True)
    assert bench.run(bench.low, "cat", "/low") != first


async def test_a_cancelled_build_ends_in_docker_too(bench: ImageBench) -> None:
    bench.write(bench.low, f"FROM {BASE}\nRUN echo {bench.mark} && sleep 300\n")
    build = bench.building.begin(bench.low)
    await eventually(lambda: _sleeping(bench.mark))
    assert bench.builds.find(build.id).state == "building"
    assert bench.building.begin(bench.low).id == build.id  # asked for again, it is the one that goes on
    await bench.building.cancel(build.id)
    found = bench.builds.find(build.id)
    assert (found.state, found.doing) == ("cancelled", f"RUN echo {bench.mark} && sleep 300")
    await eventually(lambda: not _sleeping(bench.mark))
    await bench.images.look()
    with pytest.raises(ImageNotBuilt):
        bench.catalogue.environment(bench.low)


async def test_who_stops_listening_cancels(bench: ImageBench) -> None:
    bench.write(bench.low, f"FROM {BASE}\nRUN echo {bench.mark} && sleep 300\n")
    async with aclosing(bench.building.build(bench.low)) as lines:
        async for line in lines:
            if line == bench.mark:
                break
    build = bench.builds.newest(bench.low)
    assert build
    assert build.state == "cancelled"
    await eventually(lambda: not _sleeping(bench.mark))


async def test_two_at_once_build_it_once(bench: ImageBench) -> None:
    bench.write(bench.low, f"FROM {BASE}\nRUN sleep 1; cat /proc/sys/kernel/random/uuid > /low\n")
    first, second = await asyncio.gather(bench.build(bench.low), bench.build(bench.low))
    shorter, longer = sorted((first, second), key=len)
    assert shorter == [f"{bench.low}: {bench.catalogue.environment(bench.low).image} is here now"]
    assert any("Step 2/" in line for line in longer)


async def test_one_builds_at_a_time_and_the_others_wait_in_line(bench: ImageBench) -> None:
    names = [f"{bench.mark}-{number}" for number in "abc"]
    for name in names:
        bench.write(name, f"FROM {BASE}\nRUN echo {name}- && sleep 300\n")
    ids = [bench.building.begin(name).id for name in names]
    for first, name in enumerate(names):
        await eventually(lambda name=name: _sleeping(f"{name}-"))
        ahead = [None] * (first + 1) + list(range(1, len(names) - first))
        await eventually(lambda ahead=ahead: [bench.builds.find(id).ahead for id in ids] == ahead)
        states = [bench.builds.find(id).state for id in ids[first:]]
        assert states == ["building", *["waiting"] * (len(states) - 1)]
        assert [one for one in names if _sleeping(f"{one}-")] == [name]
        await bench.building.cancel(ids[first])
    assert "waiting in line, for 1 may build at a time" in bench.builds.log(ids[1]).decode()


async def test_a_build_has_its_share_of_memory_and_cores(tmp_path: Path, docker_url: str) -> None:
    told = "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/cpu/cpu.shares 2>/dev/null"
    told = f"{told} || cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.weight"
    with image_bench(tmp_path, docker_url, Options(memory=256 << 20)) as bench:
        bench.write(bench.low, f"FROM {BASE}\nRUN {told} # {bench.mark}\n")
        said = await bench.build(bench.low)
        at = said.index(str(256 << 20))
        assert int(said[at + 1]) <= SHARES
        bench.write(bench.low, f"FROM {BASE}\nRUN head -c 400000000 /dev/zero | tail # {bench.mark}\n")
        with pytest.raises(NoMemoryForBuild, match=r"step 2 of \d was ended.* \(256 MiB\)"):
            await bench.build(bench.low)


async def test_a_build_whose_process_was_killed_is_lost(bench: ImageBench) -> None:
    writer = bench.builds.begin(bench.low, "drybench/low:1")
    assert bench.builds.find(writer.build.id).state == "waiting"
    writer.let_go()
    assert bench.builds.find(writer.build.id).state == "lost"


async def test_an_older_image_serves_until_todays_is_built(bench: ImageBench) -> None:
    await bench.build(bench.low)
    older = bench.catalogue.environment(bench.low)
    bench.write(bench.low, f"FROM {BASE}\nRUN echo another > /low\n")
    offer = bench.catalogue.offer(bench.low)
    assert (offer.usable, offer.remedy, offer.environment.digest) == (True, "build", older.digest)
    await bench.build(bench.low)
    newer = bench.catalogue.offer(bench.low)
    assert (newer.usable, newer.remedy) == (True, "")
    assert newer.environment.digest != older.digest


async def test_what_has_no_dockerfile_is_not_built(bench: ImageBench) -> None:
    name = f"other-{bench.mark}"
    bench.write(name, more='image = "debian:bookworm-slim"')
    with pytest.raises(NothingToBuild, match="debian:bookworm-slim"):
        await bench.build(name)
    with pytest.raises(NoRegistry):
        bench.building.begin(bench.low, pull=True)


async def test_arguments_and_context(tmp_path: Path, docker_url: str) -> None:
    certificates, wheels = tmp_path / "ca.pem", tmp_path / "wheels"
    certificates.write_text("a certificate\n")
    wheels.mkdir()
    (wheels / "one.whl").write_text("a wheel")
    options = Options(certificates, wheels, arguments={"FLAVOUR": "sweet", "OTHER": "unasked"})
    with image_bench(tmp_path, docker_url, options) as bench:
        bench.write(
            bench.low,
            f"FROM {BASE} AS made\nCOPY . /all/\nARG FLAVOUR=plain\n"
            "RUN cd /all && (echo $FLAVOUR; cat drybench-ca.crt; ls drybench-extra-wheels drybench-wheels .) > /told\n"
            f"FROM {BASE}\nCOPY --from=made /told /told\n",
            hello="hello",
        )
        said = await bench.build(bench.low)
        told = bench.run(bench.low, "cat", "/told").split()
        assert told[:3] == ["sweet", "a", "certificate"]
        assert "one.whl" in told
        assert sum(word.startswith("drybench_") and word.endswith(".whl") for word in told) == 3
        assert "hello" in told
        assert "environment.toml" not in told
        assert not any("OTHER" in line for line in said)
        assert bench.builds.all()[0].layers


def _sleeping(mark: str) -> bool:
    """Whether a container of the build is still at it."""
    return any(mark in line for line in docker("ps", "--no-trunc", "--format", "{{.Command}}").splitlines())
