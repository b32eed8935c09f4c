"""Every sentence a person reads when something does not go.

    DrybenchError                 code, sentence, next step
    ├─ Refused                    wrong input, said at once and before it is queued      422
    ├─ NotFound                   no such run, session, environment (or not yours)       404
    ├─ NotAllowed                 you may not                                            403
    ├─ Conflict                   it is no longer what it was                            409
    ├─ NotSignedIn                                                                       401
    ├─ SessionNotRunning                                                                 424
    ├─ HubAway  DockerAway …      a part does not answer at the moment                   503
    ├─ DiskFull                                                                          507
    ├─ BuildFailed                an image that could not be built
    ├─ RecordUnreadable           what a task left in its run folder is not what it should be
    ├─ SettingsWrong              a line of drybench.toml
    └─ CannotStart                a port in use, a second bench, data of a newer version

A class's docstring is the sentence; `next_step` says what to do. Both take `{names}` filled
from the keywords given. Web, API and command line print the same.

Each room has its module; whatever such a module says is offered here.
"""

# A list of names here would be a second place to write each error into.
# ruff: noqa: F403
# pyright: reportWildcardImportFromLibrary=false

from __future__ import annotations

from drybench.errors.base import *
from drybench.errors.bench import *
from drybench.errors.engines import *
from drybench.errors.environments import *
from drybench.errors.folders import *
from drybench.errors.images import *
from drybench.errors.notebooks import *
from drybench.errors.notices import *
from drybench.errors.people import *
from drybench.errors.runs import *
from drybench.errors.schedules import *
from drybench.errors.sessions import *
from drybench.errors.sharing import *
from drybench.errors.sweeps import *
from drybench.errors.web import *
