"""Environments: to choose one, to bring one's own, to wish for a program."""

from __future__ import annotations

from drybench.errors.base import Conflict, NotFound, Refused


class NoSuchEnvironment(Refused):
    """There is no environment “{name}” here."""

    next_step = "Choose one of: {there}."


class NoEnvironmentThere(NotFound):
    """There is no environment “{name}” that you can see."""

    next_step = "The Environments page and `drybench environments` list those that there are."


class NoSuchApp(Refused):
    """The environment “{environment}” has no app “{name}”."""

    next_step = "Choose one of: {there}."


class EngineNotHere(Refused):
    """This works on {name}, which this bench cannot use at the moment."""

    next_step = "Choose another environment, or ask the keeper: `drybench doctor` says what is missing."


class EnvironmentBroken(Refused):
    """The environment {name} cannot be used: {file}, line {line}: {problem}."""

    next_step = "The keeper mends that line; `drybench images list` then says whether all is well."


class EnvironmentNameWrong(Refused):
    """“{name}” cannot be an environment's name."""

    next_step = "Use 1 to 30 of a-z, 0-9 and hyphen, with a letter or digit at both ends."


class EnvironmentNameInUse(Conflict):
    """There is an environment named {name} already."""

    next_step = "Choose another name."


class BroughtWrong(Refused):
    """What was brought cannot be built: {problems}."""

    next_step = "Mend what is named and bring it again; nothing was kept of it."


class RepositoryWrong(Refused):
    """“{url}” is no repository that is fetched from here: {problem}."""

    next_step = "Give an address like https://git.example/group/project, without a name or password in it."


class RepositoryNotHad(Refused):
    """The repository {url} could not be fetched: {why}."""

    next_step = "Look for a slip in the address and the branch; a private one can be sent as files."


class TooManyBrought(Refused):
    """You have brought {most} environments already, which is as many as one person may have."""

    next_step = "Remove one that you no longer need."


class WishWrong(Refused):
    """{problem}."""

    next_step = "Name the program in a few words, and say in a few lines what you need it for."


class TooManyWishes(Refused):
    """You have asked for {most} programs within a day already."""

    next_step = "Ask again tomorrow, or speak to the keeper of this bench."


class NoSuchWish(NotFound):
    """There is no such wish for a program."""

    next_step = "The Environments page lists those that there are."
