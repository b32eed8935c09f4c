"""Every sentence a person reads when something does not go.

    DrybenchError                 code, sentence, next step
    ├─ Refused                    wrong input, said at once and before it is queued      422
    │  ├─ NotANotebook  NotebookTooOld  TooLarge  NameNotAllowed  NoParametersCell  ParametersWrong …
    │  ├─ NotebookUnreadable  NotebookGone  TooManyNotebooks  FolderNotShown  NoFilesHere
    │  ├─ RequirementsWrong  EnvironmentGone  RunAskWrong  DaysWrong
    │  ├─ NotGuarded  NoDoorForTasks
    │  ├─ ContainerRefused  NoImage  NotAsRoot  MountNotAllowed  ProgramMissing
    │  ├─ MachineTooSmall  NoSuchGpu  GpuWrong  MountNotHere  ChooseTwo  EngineNotHere
    │  ├─ SweepWrong  SweepNotLater  SweepEmpty  SweepTooLarge  NoFilesFound  PatternWrong
    │  ├─ CronWrong  CronTooFine  CronNeverComes  NoSuchZone  NoTime  TimeIsOver  FileNotReadAgain …
    │  ├─ ChannelWrong  NoMailHere  PlaceNotAllowed  NoSuchHost
    │  ├─ BroughtWrong  RepositoryWrong  RepositoryNotHad  EnvironmentNameWrong  TooManyBrought
    │  ├─ WishWrong  TooManyWishes
    │  ├─ EnvironmentBroken  ImageNotBuilt  ImageNotHere  ImageNotHad  NoContainersHere  NothingToBuild  NoRegistry
    │  ├─ ImageWithoutShell  ImageWithoutPython  ImagePythonTooOld  ImageWithoutKernel  ImageWithoutSession
    ├─ NotFound                   no such run, session, environment (or not yours)       404
    ├─ NotAllowed                 you may not                                            403
    │  ├─ SignInBroken  ForeignPage  FormTooOld  TokenTooNarrow  WrongAddress …
    │  ├─ SecondPerson  JustDeleted  TicketUnknown  TicketUsed  TicketExpired
    │  ├─ KeeperOnly  ImagesNotByName
    ├─ NotSignedIn                                                                       401
    ├─ SessionNotRunning                                                                 424
    ├─ Conflict                   it is no longer what it was                            409
    │  ├─ HasEnded  OnlyForward  NotHeld  StillOpen  StillStopping  SessionsGoOn  NameInUse  KeyUsedOtherwise
    ├─ HubAway  HubBusy  PortalAway                                                      503
    ├─ DiskFull                                                                          507
    ├─ EngineMissing  DockerAway  TaskNotStarted  NetworkNotMade  ReadyGone  TasksGoOn
    ├─ BuildFailed  StepFailed  CertificateUnknown  NoRoomForImage  BuildCancelled  NoDockerHere
    ├─ RecordUnreadable           what a task left in its run folder is not what it should be
    ├─ SettingsWrong              a line of drybench.toml
    └─ CannotStart                a port in use, a second bench, data of a newer version
       └─ NewerData  SecondPortal  AlreadyUp  PortInUse  CannotListen  NotUp  NotReady  KeepsEnding  MachineNotFit …

A class's docstring is the sentence; `next_step` says what to do. Both take `{names}` filled
from the keywords given. Web, API and command line print the same.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar


class DrybenchError(Exception):
    """Drybench could not do this."""

    status: ClassVar[int] = 500
    next_step: ClassVar[str] = "Ask the keeper of this bench; the log names the cause."

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        self.sentence = _fill(type(self).__doc__ or "", facts)
        self.step = _fill(type(self).next_step, facts)
        super().__init__(f"{self.sentence} {self.step}".strip())

    @property
    def code(self) -> str:
        return re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()

    def as_json(self) -> dict[str, str]:
        return {"code": self.code, "sentence": self.sentence, "next_step": self.step}


class Refused(DrybenchError):
    """{sentence}"""

    status = 422
    next_step = "{next_step}"


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


class NameNotAllowed(Refused):
    """The name {name} cannot be used: {problem}."""

    next_step = "Give a name of 1 to 200 characters without slashes and control characters."


class NoParametersCell(Refused):
    """The notebook has no cell tagged `parameters`, so it takes no {names}."""

    next_step = "Tag the cell that sets the defaults with `parameters` (in JupyterLab: property inspector, cell tags)."


class NotebookUnreadable(Refused):
    """The notebook {path} cannot be read: {why}."""

    next_step = "Give the whole path of a notebook (.ipynb) on the bench's machine that you may read."


class NotebookGone(Refused):
    """{name} is no longer here: what is chosen and not run is kept for a day."""

    next_step = "Choose it once more."


class TooManyNotebooks(Refused):
    """{count} notebooks are more than go in at once."""

    next_step = "Choose at most {most}, and the others after them."


class FolderNotShown(Refused):
    """The folder {path} is not among those that are shown here."""

    next_step = "Begin at one of: {there}. The keeper can show more: `shown` under [folders] in drybench.toml."


class NoFilesHere(Refused):
    """What runs on this bench is of other accounts, so it has no files of yours to choose from."""

    next_step = "Choose the notebook from your own computer, or type paths as your runs see them."


class ParametersWrong(Refused):
    """These parameters do not fit the notebook: {problems}."""

    next_step = "{next_step}"


class SweepWrong(Refused):
    """This sweep does not fit the notebook: {problems}."""

    next_step = "Mend what is named; nothing was started."


class SweepNotLater(Refused):
    """Many runs at once begin now, and not at a time to come."""

    next_step = "Choose “Now”, or leave the part “Many runs” empty."


class SweepEmpty(Refused):
    """This sweep has no runs in it."""

    next_step = "Give at least one parameter with at least one value."


class SweepTooLarge(Refused):
    """This sweep would be {count} runs, and this bench takes up to {limit} in one."""

    next_step = "Take fewer values or larger steps, or ask the keeper for more (`sweep_most` under `[runs]`)."


class NoFilesFound(Refused):
    """No file in {folder} matches {pattern}{links}."""

    next_step = "Give a folder that has such files, and a pattern such as `*.tif`; links are passed over."


class PatternWrong(Refused):
    """“{pattern}” is no pattern for the names of files."""

    next_step = "Give one such as `*.tif`; the folder is given by itself."


class RequirementsWrong(Refused):
    """This requirements.txt cannot be used: {problems}."""

    next_step = (
        "Name packages one a line, such as `scikit-image>=0.24`; where packages come from is the keeper's to set "
        "(`requirements_from_anywhere` under [runs])."
    )


class EnvironmentGone(Refused):
    """The environment {name} is no longer here as it was when this run was made."""

    next_step = "Run it again with today's environment; the receipts of both say what differs."


class CronWrong(Refused):
    """“{cron}” names no times: {problem}."""

    next_step = "Give five fields, minute hour day month weekday: `30 7 * * 1-5` is every weekday at 07:30."


class CronTooFine(CronWrong):
    """“{cron}” has a sixth field, for seconds; nothing comes more often than every minute here."""

    next_step = "Give five fields, minute hour day month weekday: `* * * * *` is every minute."


class CronNeverComes(CronWrong):
    """“{cron}” names a day that never comes."""

    next_step = "Choose a day that its months have; `L` is the last one of a month."


class NoSuchZone(Refused):
    """There is no time zone “{zone}”."""

    next_step = "Give a name such as Europe/Berlin, America/New_York or UTC."


class NoTime(Refused):
    """“{typed}” is no day and time."""

    next_step = "Give it as 2030-01-31 07:30, with a time zone beside it or at its end."


class TimeIsOver(Refused):
    """{time} is over already."""

    next_step = "Choose a time to come; what shall run at once needs no schedule."


class TwoTimes(Refused):
    """A time and a cron expression were both given, or neither."""

    next_step = "Give one of the two."


class TooManySchedules(Refused):
    """You have {most} schedules already, which is as many as one person may have."""

    next_step = "Remove those that you no longer need."


class FileNotReadAgain(Refused):
    """The notebook {path} cannot be read each time anew: {why}."""

    next_step = "Put it where it was, or make the schedule again with the notebook as it is now."


class ChannelWrong(Refused):
    """This is no address for {title}: {problem}."""

    next_step = "It looks like {example}"


class TooManyChannels(Refused):
    """You have {most} channels already, which is as many as one person may have."""

    next_step = "Remove one that you no longer need."


class NoMailHere(Refused):
    """This bench sends no mail."""

    next_step = "Choose another way, or ask the keeper to name a mail server under [mail] in drybench.toml."


class PlaceNotAllowed(Refused):
    """{host} leads into this bench or the network around it, so nothing is sent there."""

    next_step = "Give an address on the internet, or ask the keeper to list it: `may_reach` under [notices]."


class NoSuchHost(Refused):
    """There is no host {host}."""

    next_step = "Look for a slip in the address."


class BroughtWrong(Refused):
    """What was brought cannot be built: {problems}."""

    next_step = "Mend what is named and bring it again; nothing was kept of it."


class RepositoryWrong(Refused):
    """“{url}” is no repository that is fetched from here: {problem}."""

    next_step = "Give an address like https://git.example/group/project, without a name or password in it."


class RepositoryNotHad(Refused):
    """The repository {url} could not be fetched: {why}."""

    next_step = "Look for a slip in the address and the branch; a private one can be sent as files."


class EnvironmentNameWrong(Refused):
    """“{name}” cannot be an environment's name."""

    next_step = "Use 1 to 30 of a-z, 0-9 and hyphen, with a letter or digit at both ends."


class TooManyBrought(Refused):
    """You have brought {most} environments already, which is as many as one person may have."""

    next_step = "Remove one that you no longer need."


class WishWrong(Refused):
    """{problem}."""

    next_step = "Name the program in a few words, and say in a few lines what you need it for."


class TooManyWishes(Refused):
    """You have asked for {most} programs within a day already."""

    next_step = "Ask again tomorrow, or speak to the keeper of this bench."


class NotTaken(DrybenchError):
    """{where} did not take the message: {why}."""

    status = 502
    next_step = "It is tried again for some hours; if it stays so, look at the channel's address."


class NotFound(DrybenchError):
    """There is no {what} by that name that you can see."""

    status = 404
    next_step = "Look at the list for what there is."


class NoSuchSession(NotFound):
    """There is no such session of yours."""

    next_step = "Home lists the sessions that you have."


class NoSuchRun(NotFound):
    """There is no such run of yours."""

    next_step = "The Runs page and `drybench runs` list those that you have."


class NoSuchSweep(NotFound):
    """There is no such sweep of yours."""

    next_step = "The Runs page and `drybench sweeps` list those that you have."


class NoSuchSchedule(NotFound):
    """There is no such schedule of yours."""

    next_step = "The Schedules page and `drybench schedules` list those that you have."


class NoEnvironmentThere(NotFound):
    """There is no environment “{name}” that you can see."""

    next_step = "The Environments page and `drybench environments` list those that there are."


class NoSuchBuild(NotFound):
    """There is no such build that you can see."""

    next_step = "The Environments page lists what was built."


class NoSuchWish(NotFound):
    """There is no such wish for a program."""

    next_step = "The Environments page lists those that there are."


class NoSuchChannel(NotFound):
    """There is no such channel of yours."""

    next_step = "The page “Tell me” and `drybench channels` list those that you have."


class NotAllowed(DrybenchError):
    """You may not do this."""

    status = 403
    next_step = "Ask the keeper of this bench for the right to do it."


class KeeperOnly(NotAllowed):
    """Only the keeper of this bench may {deed}."""

    next_step = "Ask {keeper}, who keeps this bench."


class ImagesNotByName(NotAllowed):
    """Images by their names are not taken on this bench."""

    next_step = "Ask the keeper to allow them (`allow_by_name` under [images]), or bring a Dockerfile."


class JustDeleted(NotAllowed):
    """The account “{name}” was deleted a moment ago."""

    next_step = "An account of the same name is somebody new, and can work here in a minute."


class Conflict(DrybenchError):
    """{sentence}"""

    status = 409
    next_step = "{next_step}"


class ScheduleOver(Conflict):
    """This schedule has no time to come."""

    next_step = "Remove it, and make a new one from the notebook."


class PreviousGoesOn(Conflict):
    """Its run of the time before was still going, so the time {time} was left out."""

    next_step = "Choose times that lie further apart, or look at what keeps that run."


class NotHeld(Conflict):
    """The kernel of this run is not kept, or not any more."""

    next_step = "Run it again, and let its kernel be kept when it fails."


class HasEnded(Conflict):
    """It has ended, and what has ended does not change any more."""

    next_step = "Look at how it ended; to have it once more, start it again."


class OnlyForward(Conflict):
    """It is {now} already and does not go back to {asked}."""

    next_step = "Look at it again: something else has changed it meanwhile."


class StillStopping(Conflict):
    """The session “{name}” is still stopping."""

    next_step = "Start it again in a moment."


class StillOpen(Conflict):
    """It has not ended yet."""

    next_step = "Stop it first, and wait until it says that it has ended."


class SessionsGoOn(Conflict):
    """The sessions of {name} have been told to end and have not ended yet."""

    next_step = "Delete {name} again in a moment."


class NameInUse(Conflict):
    """You have a session named {name} already."""

    next_step = "Open that one, or choose another name."


class EnvironmentNameInUse(Conflict):
    """There is an environment named {name} already."""

    next_step = "Choose another name."


class KeyUsedOtherwise(Conflict):
    """This Idempotency-Key came with another kind of request before."""

    next_step = "Send a new key with each new request."


class TaskNotWanted(Conflict):
    """This session was not asked for, or is not wanted any more."""

    next_step = "Start it from Home."


class RecordUnreadable(DrybenchError):
    """The run's record {file} cannot be read: {problem}."""

    next_step = "Look at the run's log, and run it again; if this comes back, tell the keeper of this bench."


class NoSuchEnvironment(Refused):
    """There is no environment “{name}” here."""

    next_step = "Choose one of: {there}."


class EngineNotHere(Refused):
    """This works on {name}, which this bench cannot use at the moment."""

    next_step = "Choose another environment, or ask the keeper: `drybench doctor` says what is missing."


class EnvironmentBroken(Refused):
    """The environment {name} cannot be used: {file}, line {line}: {problem}."""

    next_step = "The keeper mends that line; `drybench images list` then says whether all is well."


class ImageNotBuilt(Refused):
    """The image of {title} is not built yet."""

    next_step = "The keeper builds it: the Build button on the Environments page, or `drybench images build {name}`."


class ImageNotHere(Refused):
    """The image of {title}, {image}, is not on this machine."""

    next_step = "The keeper gets it: the button on the Environments page, or `drybench images pull {name}`."


class NoContainersHere(Refused):
    """{title} works in a container, and this bench has none: {why}."""

    next_step = "Choose another environment, or ask the keeper; `drybench doctor` says what is missing."


class NoDockerHere(DrybenchError):
    """No Docker was found on this machine, and no Podman, that this account may use."""

    status = 503
    next_step = "`drybench doctor` says what is missing. Another socket: `socket` under [engines.docker]."


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


class NoRegistry(Refused):
    """This bench names no registry to get images from."""

    next_step = "Set `registry` under [images] in drybench.toml, or build it: `drybench images build {name}`."


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


class BuildCancelled(DrybenchError):
    """The build of {name} was cancelled."""

    status = 409
    next_step = "Begin it again when you like; what was built is kept."


class ImageNotHad(Refused):
    """The image {image} could not be had: {problem}"""

    next_step = "Look at its name, and at the network; where it must be signed in, `docker login` as this account."


class NoSuchApp(Refused):
    """The environment “{environment}” has no app “{name}”."""

    next_step = "Choose one of: {there}."


class SessionNameWrong(Refused):
    """“{name}” cannot be a session's name."""

    next_step = "Use 1 to 30 of a-z, 0-9 and hyphen, with a letter or digit at both ends."


class NoSuchFolder(Refused):
    """There is no folder {path} on this machine."""

    next_step = "Give the path of a folder that exists and that you can open."


class RunAskWrong(Refused):
    """This cannot be asked of a run: {problem}."""

    next_step = "Change that and ask again."


class DaysWrong(Refused):
    """Runs are kept for a whole number of days, at most {most}."""

    next_step = "Give such a number, or none to keep them for ever."


class TimeoutWrong(Refused):
    """A time limit is more than no time and at most a year."""

    next_step = "Give another one, or leave it out for the limit of the bench."


class TimeWrong(Refused):
    """“{typed}” is no time."""

    next_step = "Give it as 90 s, 30 min or 2 h."


class NoSuchSize(Refused):
    """There is no size “{name}” here."""

    next_step = "Choose one of: {there}."


class NoSuchState(Refused):
    """No run is ever “{name}”."""

    next_step = "Choose one of: {there}."


class ChooseTwo(Refused):
    """{count} runs are chosen, and two can be compared."""

    next_step = "Go back and mark two of them."


class NoSuchKernel(Refused):
    """The notebook asks for the kernel “{name}”, which this environment does not have."""

    next_step = "Open it with one of these kernels and save it: {there}."


class OneAccount(NotAllowed):
    """Everything that runs here runs as one account of this machine, so it serves one person only."""

    next_step = (
        "If these people trust each other with everything, the keeper can set "
        "`people_trust_each_other = true` under `[engines.local]` in drybench.toml."
    )


class HubAway(DrybenchError):
    """There is no word from JupyterHub, which knows who you are."""

    status = 503
    next_step = "It is started again by itself; try again in a few seconds."


class NoNotebookSent(Refused):
    """No notebook came with this request."""

    next_step = "Choose a notebook (.ipynb) to run."


class RequestWrong(Refused):
    """What was asked cannot be understood: {field}: {problem}."""

    next_step = "The API describes every field at /api/v1/openapi.json."


class NotSignedIn(DrybenchError):
    """You are not signed in, or no longer."""

    status = 401
    next_step = "Sign in on the bench's own page, or send a token that is still good."


class SignInBroken(NotAllowed):
    """This sign-in began elsewhere, or too long ago."""

    next_step = "Sign in again."


class ForeignPage(NotAllowed):
    """This was asked for by a page that is not the bench's own, so it was not done."""

    next_step = "Open the bench itself and ask from there."


class FormTooOld(NotAllowed):
    """This page is older than your sign-in, so nothing was done."""

    next_step = "Load the page again and press once more."


class TokenTooNarrow(NotAllowed):
    """This token may ask for runs and read them, and nothing else."""

    next_step = "Use a token of your own: the Hub's token page makes one."


class WrongAddress(NotAllowed):
    """This bench answers at {address} only."""

    status = 421
    next_step = "Open that address and do it there."


class NoSuchPage(NotFound):
    """There is no such page."""

    next_step = "Home shows what there is."


class NoSuchFile(NotFound):
    """There is no such file among the outputs of this run."""

    next_step = "The run's page lists the files that it made."


class SessionNotRunning(DrybenchError):
    """This session is not running."""

    status = 424
    next_step = "Start it again on the bench's own page; what is saved is there."


class HubBusy(HubAway):
    """The sign-in service is still busy with this session."""

    next_step = "It is asked again by itself; there is nothing to do."


class DiskFull(DrybenchError):
    """The disk of this bench is full."""

    status = 507
    next_step = "Remove runs and files that nobody needs, then try it again."


class UnknownToTheHub(Refused):
    """{name} has never signed in here, so nothing can be started in that name."""

    next_step = "Sign in once in a browser: `drybench ticket` prints a link for the owner of the bench."


class PortalAway(DrybenchError):
    """The bench's portal does not answer at the moment."""

    status = 503
    next_step = "It comes back by itself, usually within seconds: try again then. What runs goes on."


class TaskMissing(Refused):
    """A session is started on the bench's own page, not here."""

    next_step = "Open the bench and start it there; or use its API: POST /api/v1/sessions."


class SecondPerson(NotAllowed):
    """
    This bench serves one person, {first}, because a page in one person's session could act as whoever looks at it.
    """

    next_step = (
        "The keeper can give each person's sessions a host name of their own: `own_host_names = true` under [bench] "
        "in drybench.toml; or accept the risk: `people_share_one_host_name = true`."
    )


class TicketUnknown(NotAllowed):
    """This one-time link is none of this bench's, or its code is not complete."""

    next_step = "Copy the whole link; or print a new one on the bench's machine: `drybench ticket`."


class TicketUsed(NotAllowed):
    """This one-time link has been used already."""

    next_step = "Each link signs in once. Print a new one on the bench's machine: `drybench ticket`."


class TicketExpired(NotAllowed):
    """This one-time link is too old; it was good for {minutes} minutes."""

    next_step = "Print a new one on the bench's machine: `drybench ticket`."


class SettingsWrong(DrybenchError):
    """{place}: {problem}"""

    next_step = "Mend it there; `drybench settings` shows every key with its value."


class CannotStart(DrybenchError):
    """{sentence}"""

    next_step = "{next_step}"


class NewerData(CannotStart):
    """The data in {database} were written by a newer Drybench ({theirs}); this one is {ours}."""

    next_step = "Start Drybench {theirs} again, or give back the copy in the backups folder that was made before it."


class SecondPortal(CannotStart):
    """Another portal works on {what} already: {who}."""

    next_step = "End that one first (`drybench down`), or give this bench a data directory and a database of its own."


class AlreadyUp(CannotStart):
    """A bench is up on {data} already (process {pid})."""

    next_step = "Use that one (`drybench ticket --data {data}` prints a link), or end it first with `drybench down`."


class PortInUse(CannotStart):
    """Port {port} on {listen} is held by another program."""

    next_step = "End that program, or choose another port: `--port NUMBER`, or `port` under [bench] in {settings}."


class CannotListen(CannotStart):
    """This machine does not let Drybench listen on {listen}, port {port}: {why}."""

    next_step = "Set `listen` and `port` under [bench] in {settings}; ports below 1024 are for root only."


class NotUp(CannotStart):
    """No bench is up on {data}."""

    next_step = "Start it with `drybench up`, or name its data directory with `--data DIR`."


class TasksGoOn(DrybenchError):
    """The bench is down, but {number} of its tasks did not end."""

    next_step = "Start the bench and look at what they do, or try `drybench down --tasks` again."


class NotReady(CannotStart):
    """The {part} did not answer within {seconds} seconds."""

    next_step = "`drybench log {part}` shows what it last said."


class KeepsEnding(CannotStart):
    """The {part} ends again and again. Its last words: {words}"""

    next_step = "`drybench log {part}` shows more."


class NotYourBench(CannotStart):
    """The data directory {data} belongs to another account, {owner}."""

    next_step = "Give this bench a data directory of your own: `--data DIR`."


class EnvironmentNotMade(CannotStart):
    """The Python environment of sessions and runs could not be made: {problem}"""

    next_step = "Mend that (often it is the network, or a full disk) and start Drybench again; it goes on from there."


class EngineMissing(DrybenchError):
    """There is no engine named {name} here; there are {known}."""

    next_step = "{hint}"


class TaskNotStarted(DrybenchError):
    """This machine could not start it: {cause}."""

    status = 503
    next_step = "It is tried again; if that does not help, ask the keeper of this bench."


class NetworkNotMade(DrybenchError):
    """The network that containers are on could not be made: {why}."""

    status = 503
    next_step = "It is tried again; ask the keeper, who can choose other addresses (`subnet` under [engines.docker])."


class ReadyGone(DrybenchError):
    """What stood ready for it has ended."""

    status = 503
    next_step = "It is started anew."


class DockerAway(DrybenchError):
    """Docker does not answer at the moment."""

    status = 503
    next_step = "It is asked again by itself; what runs in containers goes on. The keeper sees why: `docker info`."


class ContainerRefused(Refused):
    """Docker cannot start a container of {image} for it: {why}."""

    next_step = "Choose another environment, or show this to the keeper of this bench."


class NoImage(Refused):
    """It names no image, and what runs here runs in containers."""

    next_step = "Choose an environment with an image."


class NotAsRoot(Refused):
    """Nothing runs as root in a container of this bench."""

    next_step = "The keeper gives people accounts of their own: `[accounts]` in drybench.toml."


class MountNotAllowed(Refused):
    """The folder {source} has Docker's own socket in it, by which one is root on this machine, so no task sees it."""

    next_step = "The keeper takes it out of `[folders]` in drybench.toml, or names the folders in it that are needed."


class ProgramMissing(Refused):
    """The image {image} has no {program}, which this needs."""

    next_step = "Choose another environment; `drybench images check` says what an image lacks, and how to add it."


class MachineTooSmall(Refused):
    """It asks for {asked}; this machine has {most} for all its tasks."""

    next_step = "Choose a smaller size."


class NoSuchGpu(Refused):
    """It asks for {asked}; this bench has {there}."""

    next_step = "Ask for fewer GPUs, or for less memory on each."


class NotGuarded(Refused):
    """Nothing starts in containers here: the rules that keep them from this machine cannot be set ({why})."""

    next_step = (
        "Ask the keeper to install `iptables` on this machine; `without_firewall` under [engines.docker] does without."
    )


class NoDoorForTasks(Refused):
    """What runs in a container cannot reach this bench: it came up while Docker was away."""

    next_step = "Ask the keeper to bring it down and up again (`drybench down`, `drybench up`); nothing is lost by it."


class GpuWrong(Refused):
    """“{typed}” is no amount of memory that a GPU could have."""

    next_step = "Write it as on the card, such as 24 GB, or `any`."


class MountNotHere(Refused):
    """On this engine {source} cannot appear as {target}: what runs here sees the machine's folders as they are."""

    next_step = "Use the folder by its own name, or choose an environment on an engine with containers."


class FolderNotGiven(DrybenchError):
    """The folder {source} cannot appear as {target} in your work: {why}."""

    status = 503
    next_step = "Ask the keeper of this bench: it is said below `[folders]` in drybench.toml."


class FolderNotMade(DrybenchError):
    """The folder {folder} could not be made for your work: {why}."""

    status = 507
    next_step = "Ask the keeper of this bench to mend that, then try it again."


class NoAccount(DrybenchError):
    """There is no account for {name} on this machine that its work could have: {why}."""

    status = 503
    next_step = "Ask the keeper of this bench: it is said below `[accounts]` in drybench.toml."


class HandsTied(DrybenchError):
    """What another account owns in {folder} cannot be had just now: {problem}."""

    status = 503
    next_step = "It is tried again; if that does not help, ask the keeper of this bench whether Docker runs."


class MachineNotFit(CannotStart):
    """The local engine needs Linux 5.3 or newer; this is {system}."""

    next_step = "Run Drybench on such a machine."


def _fill(template: str, facts: dict[str, Any]) -> str:
    """In one pass, so that a hostile fact cannot name another one."""
    return re.sub(r"\{(\w+)\}", lambda name: str(facts.get(name[1], "")), " ".join(template.split()))
