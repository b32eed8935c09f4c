"""Which GPUs a task gets, and whether a bench can ever give what is asked. Pure.

A task has whole GPUs to itself. To share one by its memory later, a held task would say how much it holds
of each, `allocating.left` would leave the card with the rest of its memory instead of taking it away, and
the choice below would stay as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from drybench.errors import NoSuchGpu
from drybench.model import Gpu, Task
from drybench.quantities import bytes_in_words


def asked(task: Task) -> tuple[int, ...]:
    """The least memory of each GPU that it asks for; 0: any will do."""
    count = max(task.gpu_count, len(task.vram))
    return task.vram + (0,) * (count - len(task.vram))


def added(task: Task) -> tuple[int, ...]:
    """Those of them that were asked for beside the size's."""
    return asked(task)[-task.added_gpus :] if task.added_gpus else ()


def choose(asks: Sequence[int], free: Iterable[Gpu]) -> tuple[Gpu, ...] | None:
    """A GPU for each, in the order of asking, or None.

    The largest first, and each gets the smallest that will do. So cards that others need are left for them,
    and whatever can be given together, in whatever order it is asked for, is given.
    """
    left = sorted(free, key=lambda gpu: gpu.memory)
    chosen: dict[int, Gpu] = {}
    for place in sorted(range(len(asks)), key=lambda place: -asks[place]):
        found = next((gpu for gpu in left if gpu.memory >= asks[place]), None)
        if found is None:
            return None
        left.remove(found)
        chosen[place] = found
    return tuple(chosen[place] for place in range(len(asks)))


def check(task: Task, there: Sequence[Gpu]) -> None:
    """For an engine's own check: refuse what it can never give, and say what it has."""
    known = {gpu.id for gpu in there}
    must_be_there(asked(task), there)
    if not known.issuperset(task.gpus):  # given when the settings were others
        raise _refusal((0,) * len(task.gpus), there)


def must_be_there(asks: Sequence[int], there: Sequence[Gpu]) -> None:
    if choose(asks, there) is None:
        raise _refusal(asks, there)


def in_words(amounts: Iterable[int], noun: str = "GPU") -> str:
    """As in "2 GPUs with 24 GiB and one GPU"; without the noun, "2 with 24 GiB and one"."""
    kinds = sorted(Counter(amounts).items(), reverse=True)
    return " and ".join(_kind(count, memory, noun) for memory, count in kinds) or "none"


def _refusal(asks: Sequence[int], there: Sequence[Gpu]) -> NoSuchGpu:
    return NoSuchGpu(asked=in_words(asks), there=in_words([gpu.memory for gpu in there], noun=""))


def _kind(count: int, memory: int, noun: str) -> str:
    number = "one" if count == 1 else str(count)
    named = f"{number} {noun}{'s' if count > 1 else ''}" if noun else number
    return f"{named} with {bytes_in_words(memory)}" if memory else named
