"""Debian's PostgreSQL, a cluster of our own for the whole test run; each test gets a fresh database."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from tests.parts import needs
from tests.waiting import PATIENCE, wait_for

_numbers = count(1)


class Cluster:
    """It listens on a Unix socket in its own folder and nowhere else."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        if os.geteuid() == 0:
            shutil.chown(self._folder, "postgres", "postgres")
        data = str(self._folder / "data")
        said = self._run(
            "initdb", "-D", data, "-U", "drybench", "-A", "trust", "-E", "UTF8", "--no-sync", "--no-locale"
        )
        assert said.wait() == 0, self._log.read_text()
        options = ("fsync=off", "listen_addresses=", f"unix_socket_directories={self._folder}")
        self._process = self._run("postgres", "-D", data, *(word for one in options for word in ("-c", one)))
        wait_for(self._answers)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
            self._process.wait(PATIENCE)

    def url(self, database: str) -> str:
        return f"postgresql://drybench@/{database}?host={self._folder}"

    def new_database(self) -> str:
        name = f"test_{next(_numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def _run(self, program: str, *words: str) -> subprocess.Popen[bytes]:
        """PostgreSQL refuses to run as root. setpriv becomes the program, so its pid is ours to end."""
        path = max(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
        other = ("--reuid=postgres", "--regid=postgres", "--init-groups") if os.geteuid() == 0 else ()
        command = ("setpriv", *other, "--pdeathsig=INT", str(path), *words)
        with self._log.open("ab") as log:  # it says every error: a pipe that nobody reads would make it wait for ever
            return subprocess.Popen(command, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()
        try:
            psycopg.connect(self.url("postgres")).close()
        except psycopg.OperationalError:
            return False
        return True


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    needs("postgresql")
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        cluster = Cluster(Path(folder))
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()


@pytest.fixture
def postgres_url(postgres: Cluster) -> str:
    """A database of PostgreSQL with nothing in it."""
    return postgres.new_database()
