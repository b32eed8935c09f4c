"""Images of environments: to have one, to build one, and what one must have in it."""

from __future__ import annotations

from drybench.errors.base import DrybenchError, NotAllowed, NotFound, Refused


class NoContainersHere(Refused):
    """{title} works in a container, and this bench has none: {why}."""

    next_step = "Choose another environment, or ask the keeper; `drybench doctor` says what is missing."


class NoDockerHere(DrybenchError):
    """No Docker was found on this machine, and no Podman, that this account may use."""

    status = 503
    next_step = "`drybench doctor` says what is missing. Another socket: `socket` under [engines.docker]."


class ImageNotBuilt(Refused):
    """The image of {title} is not built yet."""

    next_step = "The keeper builds it: the Build button on the Environments page, or `drybench images build {name}`."


class ImageNotHere(Refused):
    """The image of {title}, {image}, is not on this machine."""

    next_step = "The keeper gets it: the button on the Environments page, or `drybench images pull {name}`."


class ImageNotHad(Refused):
    """The image {image} could not be had: {problem}."""

    next_step = "Look at its name, and at the network; where it must be signed in, `docker login` as this account."


class ImagesNotByName(NotAllowed):
    """Images by their names are not taken on this bench."""

    next_step = "Ask the keeper to allow them (`allow_by_name` under [images]), or bring a Dockerfile."


class NoRegistry(Refused):
    """This bench names no registry to get images from."""

    next_step = "Set `registry` under [images] in drybench.toml, or build it: `drybench images build {name}`."


class ImageWithoutShell(Refused):
    """{image} has no shell (/bin/sh), so neither runs nor sessions can be started in it ({problem})."""

    next_step = "Take an image that is made from a whole system, such as debian:bookworm-slim."


class ImageWithoutPython(Refused):
    """{image} has no Python: a run needs Python 3.11 or newer with a kernel, and a session JupyterLab as well."""

    next_step = 'In its Dockerfile: `RUN apt-get update && apt-get install -y python3-ipykernel`; or `on = "base"`.'


class ImagePythonTooOld(Refused):
    """The Python of {image} is {version}: runs need 3.11 or newer."""

    next_step = 'Build it on a newer system, such as debian:bookworm-slim, or on a shipped environment: `on = "base"`.'


class ImageWithoutKernel(Refused):
    """{image} has Python {version} and no kernel for notebooks, so it cannot be used for runs."""

    next_step = "In its Dockerfile: `RUN python3 -m pip install ipykernel`, or Debian's package python3-ipykernel."


class ImageWithoutSession(Refused):
    """{image} cannot be used for sessions: it has no {missing}."""

    next_step = 'In its Dockerfile: `RUN python3 -m pip install jupyterhub jupyterlab`; or `on = "base"`.'


class NothingToBuild(Refused):
    """{name} has no Dockerfile: {what}."""

    next_step = "Leave it out; `drybench images list` says which environments are built here."


class NoSuchBuild(NotFound):
    """There is no such build that you can see."""

    next_step = "The Environments page lists what was built."


class BuildFailed(DrybenchError):
    """The image of {name} could not be built: {problem}."""

    next_step = "Mend that and build it again: {again}"


class StepFailed(BuildFailed):
    """The image of {name} could not be built: step {step} of {steps}, {doing}, failed ({problem}). It said: {last}"""

    next_step = "Mend that and build it again; the steps before it are not done again. All that was said is in {log}"


class CertificateUnknown(BuildFailed):
    """The image of {name} could not be built: a certificate on the way to the packages is not known."""

    next_step = (
        "Behind an institute's proxy: `extra_ca` under [images] in drybench.toml names its certificates. "
        "All that was said is in {log}"
    )


class NoRoomForImage(BuildFailed):
    """The image of {name} could not be built: the disk that Docker keeps its images on is full ({problem})."""

    next_step = "`drybench images prune` says what can go; then build it again."


class NoMemoryForBuild(BuildFailed):
    """The image of {name} could not be built: step {step} of {steps} was ended, most likely because it used more memory
    than a build may have ({most})."""

    next_step = "Let it do less at a time, or ask the keeper for more: `build_memory` under [images] in drybench.toml."


class BuildCancelled(DrybenchError):
    """The build of {name} was cancelled."""

    status = 409
    next_step = "Begin it again when you like; what was built is kept."
