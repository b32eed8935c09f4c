"""What is said of each reason for an end, and what to do next. What stands in braces is filled in by `causes`."""

from __future__ import annotations

from collections.abc import Mapping

from drybench.phases import Reason

WORDS: Mapping[Reason, tuple[str, str]] = {
    Reason.CELL_ERROR: ("{cell} stopped with {error}", "Mend that cell and run the notebook again."),
    Reason.TIMED_OUT: (
        "It took longer than its time{timeout} and was stopped{where}.",
        "Run it again with more time for the run or for its cells, or make the notebook do less.",
    ),
    Reason.OUT_OF_MEMORY: (
        "It used more memory than its size allows{memory}{used}.",
        "Run it again in a larger size{larger}, or load less data at once.",
    ),
    Reason.GPU_OUT_OF_MEMORY: (
        "{cell} needed more memory than its GPU had left.",
        "Run it again with smaller batches or images, or with a GPU that has more memory and that nobody else uses.",
    ),
    Reason.DISK_FULL: (
        "The disk that keeps its results is full{where}.",
        "Remove runs and files that nobody needs, then run it again.",
    ),
    Reason.REQUIREMENTS_FAILED: (
        "What its requirements ask for could not be installed.",
        "Mend that line of its requirements, then run it again.",
    ),
    Reason.KERNEL_DIED: (
        "Its kernel died{where}.",
        "A library may have crashed: look at the log, and run that cell in a session to see it happen.",
    ),
    Reason.NO_SUCH_KERNEL: (
        "The environment has no kernel{kernel}.",
        "Choose an environment that has it, or save the notebook with a kernel that this one has.",
    ),
    Reason.INPUT_MISSING: (
        "A file that it needs is not there.",
        "A notebook finds what lies beside it, unless it was sent alone; with --cwd FOLDER it works in that folder.",
    ),
    Reason.RUNNER_DIED: (
        "The program that ran it ended before it could write down the result{exit}.",
        "What it did so far is kept. Look at the log, then run it again.",
    ),
    Reason.EXITED: ("Its program ended by itself{exit}.", "Look at the log for what it said last."),
    Reason.KILLED: (
        "Something outside this bench ended it{exit}.",
        "Run it again; if it happens once more, ask the keeper of this machine.",
    ),
    Reason.REJECTED: (
        "The engine did not take it.",
        "Choose another size or environment, or ask the keeper of this bench.",
    ),
    Reason.START_FAILED: (
        "It could not be started.",
        "Try it again; if it happens once more, the log tells the keeper of this bench why.",
    ),
    Reason.RECORD_UNREADABLE: (
        "It ended, but what it wrote about its result cannot be read.",
        "Its files are kept as they are. Look at the log, then run it again.",
    ),
    Reason.WATCHER_DIED: (
        "What watched over it was ended, so nobody knows how it went.",
        "What it did so far is kept. Look at it, then run it again.",
    ),
    Reason.MACHINE_GONE: (
        "The machine{machine} went away while it ran.",
        "What it did so far is kept. Run it again when the machine is back.",
    ),
    Reason.CANCELLED: (
        "It was stopped because {by} asked for it.",
        "What it did so far is kept. Run it again if you want it after all.",
    ),
}
UNSAID = ("It did not end well, and nobody knows why.", "Look at the log, then run it again.")
# What to do about a cell's error that many people meet.
NEXT_STEPS: Mapping[str, str] = {
    "FileNotFoundError": WORDS[Reason.INPUT_MISSING][1],
    "ModuleNotFoundError": "Add {package} to the requirements of the run, or choose an environment that has it; "
    "if it is a file of yours, send the notebook together with its folder.",
    "MemoryError": WORDS[Reason.OUT_OF_MEMORY][1],
    "StdinNotImplementedError": "Make what it asks for a parameter: set it in a cell tagged `parameters`.",
}
# Where the package has another name than the module.
PACKAGES: Mapping[str, str] = {
    "Bio": "biopython",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "git": "GitPython",
    "jwt": "PyJWT",
    "OpenSSL": "pyOpenSSL",
    "osgeo": "GDAL",
    "PIL": "pillow",
    "pptx": "python-pptx",
    "docx": "python-docx",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "umap": "umap-learn",
    "usb": "pyusb",
    "yaml": "PyYAML",
    "zmq": "pyzmq",
}
