"""Where a build is, by what the builder says."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from drybench.engines.docker_registry import Pulling, signed_in
from drybench.images.steps import Steps


def heard(steps: Steps, *said: str) -> list[str]:
    return [line for text in said for line in steps.hear({"stream": text})] + list(steps.end())


def test_steps_lines_and_layers() -> None:
    steps = Steps()
    lines = heard(
        steps,
        "Step 1/4 : FROM debian AS made\n",
        " ---> 8f1129537034\nStep 2/4 : RUN make",
        " it\n ---> Running in 1234567890ab\n",
        "\x1b[31mred\x1b[0m\r\n10%\r100%\n",
        "Removing intermediate container 1234567890ab\n ---> aaaaaaaaaaaa\n",
        "Step 3/4 : FROM debian\n ---> bbbbbbbbbbbb\nStep 4/4 : COPY --from=made /a /a\n ---> cccccccccccc\n",
        "Successfully built cccccccccccc",
    )
    assert lines[2] == "Step 2/4 : RUN make it"
    assert lines[4:6] == ["red", "100%"]
    assert (steps.step, steps.steps, steps.doing) == (4, 4, "COPY --from=made /a /a")
    assert steps.layers == ["aaaaaaaaaaaa", "cccccccccccc"]  # the last of each stage
    assert lines[-1] == "Successfully built cccccccccccc"


def test_of_a_step_its_last_lines_are_kept() -> None:
    steps = Steps()
    heard(steps, "Step 1/2 : RUN a\n", "of another step\n", "STEP 2/2: RUN b\n", *(f"{n}\n" for n in range(30)))
    assert (steps.step, steps.doing) == (2, "RUN b")  # as Podman says it
    assert list(steps.last) == [str(n) for n in range(18, 30)]


def test_getting_is_told_layer_by_layer() -> None:
    pulling = Pulling()
    said = [
        {"status": "Pulling from lab/tool", "id": "1"},
        {"status": "Pulling fs layer", "id": "aa"},
        {"status": "Pulling fs layer", "id": "bb"},
        {"status": "Downloading", "id": "aa", "progressDetail": {"current": 1}},
        {"status": "Pull complete", "id": "aa"},
        {"status": "Already exists", "id": "bb"},
        {"status": "Digest: sha256:1"},
    ]
    lines = [line for one in said for line in pulling.hear(one)]
    assert lines == ["Pulling from lab/tool", "1 of 2 layers", "2 of 2 layers", "Digest: sha256:1"]


def test_of_a_step_that_failed_its_complaints_are_told_or_else_its_end() -> None:
    steps = Steps()
    heard(steps, "Step 1/2 : RUN pip install nothing\n", *(f"Retrying {n}\n" for n in range(5)))
    assert steps.telling() == ["Retrying 2", "Retrying 3", "Retrying 4"]
    heard(steps, "ERROR: No matching distribution found for nothing\n", "[notice] A new pip is there\n")
    assert steps.telling() == ["ERROR: No matching distribution found for nothing"]


def test_a_line_without_an_end_is_ended() -> None:
    steps = Steps()
    lines = heard(steps, *(["a" * 30_000] * 100))
    assert sum(map(len, lines)) == 3_000_000
    assert max(map(len, lines)) < 100_000


def test_nothing_that_is_built_speaks_to_a_terminal() -> None:
    """Such as its title, or what is pasted from it next."""
    (line,) = heard(Steps(), "\x1b]52;c;cm0gLXJm\x07\x1b[2J\x9b31mred\x07\ttab\n")
    assert line.isprintable() or line.replace("\t", "").isprintable()


@pytest.mark.parametrize("image", ["localhost/tool", "EVIL/tool", "ghcr.io/tool", "lab:5000/tool"])
def test_a_password_goes_to_nobody_else(image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Docker takes the first word of a name for a host also where it is `localhost`, or has a capital letter."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    of_hub = {"https://index.docker.io/v1/": {"auth": base64.b64encode(b"ada:secret").decode()}}
    (tmp_path / "config.json").write_text(json.dumps({"auths": of_hub}))
    assert signed_in(image) is None
    for of_the_hub in ("lab/tool", "debian:12.5", "lab/tool:1.0"):
        assert signed_in(of_the_hub)
