"""A PostgreSQL server that the session starts on loopback when a test asks for it."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def fresh_database(server):
    name = f"ledger_{os.urandom(6).hex()}"
    server.sql(f"CREATE DATABASE {name}")
    return f"postgresql://synthspec:horse@127.0.0.1:{server.port}/{name}"


class Server:
    def __init__(self, port, folder, run):
        self.port, self.folder, self.run = port, folder, run

    def sql(self, text):
        self.run("psql", "-h", str(self.folder), "-p", str(self.port), "-U", "synthspec", "-d", "postgres", "-c", text)


@pytest.fixture(scope="session")
def server():
    """A PostgreSQL of the session's own; skipped, loudly, where there is none."""
    if not (shutil.which("initdb") and shutil.which("pg_ctl")):
        pytest.skip("NO POSTGRESQL ON THIS MACHINE: the ledger was tried on SQLite alone")
    # Not below pytest's own folders: those are closed to the user that the server runs as.
    with tempfile.TemporaryDirectory(prefix="synthspec-pg-", ignore_cleanup_errors=True) as name:
        yield from _served(Path(name))


def _served(folder):
    demote = _nobody(folder)

    def run(*words):
        return subprocess.run(words, check=True, capture_output=True, text=True, cwd=folder, **demote)

    (folder / "password").write_text("horse\n")
    if demote:
        os.chown(folder / "password", demote["user"], -1)
    data = folder / "data"
    run("initdb", "-D", str(data), "-U", "synthspec", "-A", "scram-sha-256", f"--pwfile={folder / 'password'}")
    hba = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
    (data / "pg_hba.conf").write_text(hba)
    port = _free_port()
    settings = f"-c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c port={port} -c fsync=off"
    run("pg_ctl", "-D", str(data), "-w", "-o", settings, "-l", str(folder / "log"), "start")
    yield Server(port, folder, run)
    run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")


def _nobody(folder):
    """PostgreSQL does not run as root: what to give `subprocess.run` so that it need not."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("nobody").pw_uid
    os.chown(folder, user, -1)
    return {"user": user}


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
