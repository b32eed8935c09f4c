"""A notebook that cannot be run as it was sent."""

from __future__ import annotations

from drybench.errors.base import Refused


class NoNotebookSent(Refused):
    """No notebook came with this request."""

    next_step = "Choose a notebook (.ipynb) to run."


class NotANotebook(Refused):
    """{name} is not a notebook: {problem}."""

    next_step = "Choose a notebook (.ipynb) that JupyterLab opens, save it there once, and send that."


class NotebookTooOld(Refused):
    """{name} is in an older format of notebooks (nbformat {found}); Drybench runs format 4."""

    next_step = "Open it in JupyterLab and save it, or convert it: jupyter nbconvert --to notebook --nbformat 4 {name}"


class TooLarge(Refused):
    """{name} is {size} large; this bench takes up to {limit}."""

    status = 413
    next_step = "Clear its outputs (in JupyterLab: Edit, Clear Outputs of All Cells), or ask the keeper for more."


class NotebookUnreadable(Refused):
    """The notebook {path} cannot be read: {why}."""

    next_step = "Give the whole path of a notebook (.ipynb) on the bench's machine that you may read."


class NotebookGone(Refused):
    """{name} is no longer here: what is chosen and not run is kept for a day."""

    next_step = "Choose it once more."


class TooManyNotebooks(Refused):
    """{count} notebooks are more than go in at once."""

    next_step = "Choose at most {most}, and the others after them."


class NoParametersCell(Refused):
    """The notebook has no cell tagged `parameters`, so it takes no {names}."""

    next_step = "Tag the cell that sets the defaults with `parameters` (in JupyterLab: property inspector, cell tags)."


class ParametersWrong(Refused):
    """These parameters do not fit the notebook: {problems}."""

    next_step = "{next_step}"


class NoSuchKernel(Refused):
    """The notebook asks for the kernel “{name}”, which this environment does not have."""

    next_step = "Open it with one of these kernels and save it: {there}."
