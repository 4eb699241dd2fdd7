"""The store keeps what it was given, notices what was done to it, and survives being killed."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthspec.store import Record, Store, StoreError
from synthspec.store.atomic import write_atomically

KEY = "a" * 64
OTHER = "b" * 64


def key_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def commit(store: Store, key: str, files: dict[str, bytes], node: str = "fit") -> Record:
    with store.work() as folder:
        for name, data in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        return store.commit(key, node, node, folder)


def notices() -> tuple[list[str], object]:
    said: list[str] = []
    return said, said.append


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


FILES = {"fit.json": b"{}", "weights/unet.safetensors": b"\x00\x01" * 1000}


def test_what_was_committed_is_found_again_by_a_later_opening(tmp_path):
    with Store(tmp_path) as store:
        record = commit(store, KEY, FILES)
    with Store(tmp_path) as store:
        assert store.lookup(KEY) == record
        assert contents(store.view(record)) == FILES
        assert store.lookup(OTHER) is None


def test_objects_are_named_by_their_content_and_read_only(tmp_path):
    with Store(tmp_path) as store:
        record = commit(store, KEY, FILES)
    for file in record.files:
        path = tmp_path / "objects" / "sha256" / file.sha256[:2] / file.sha256
        assert hashlib.sha256(path.read_bytes()).hexdigest() == file.sha256
        assert file.size == path.stat().st_size
        assert stat.S_IMODE(path.stat().st_mode) == 0o444


def test_the_output_digest_is_about_content_alone(tmp_path):
    with Store(tmp_path) as store:
        one, two = commit(store, KEY, FILES), commit(store, OTHER, FILES, node="another")
        other = commit(store, key_of("x"), {**FILES, "fit.json": b"[]"})
        renamed = commit(store, key_of("y"), {"fot.json": b"{}"}), commit(store, key_of("z"), {"fit.json": b"{}"})
    assert one.digest == two.digest != other.digest
    assert renamed[0].digest != renamed[1].digest


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-1], lambda data: bytes([data[0] ^ 1]) + data[1:], lambda _: b""]
)
def test_a_damaged_object_is_quarantined_and_said(tmp_path, damage):
    with Store(tmp_path) as store:
        record = commit(store, KEY, FILES)
        path = store.objects.path(record.files[1].sha256)
    path.chmod(0o644)
    path.write_bytes(damage(path.read_bytes()))
    said, notice = notices()
    with Store(tmp_path, notice) as store:
        assert store.lookup(KEY) is None
        assert "weights/unet.safetensors of 'fit' is damaged" in said[0]
        assert not path.exists()
        assert [kept.name.split(".")[0] for kept in (tmp_path / "quarantine").iterdir()] == [path.name]
        assert store.journal.entries[-1].state == "damaged"
        again = commit(store, KEY, FILES)
        assert store.lookup(KEY) == again == record
        assert contents(store.view(again)) == FILES


def test_a_missing_object_makes_the_result_unknown(tmp_path):
    said, notice = notices()
    with Store(tmp_path, notice) as store:
        record = commit(store, KEY, FILES)
        store.objects.path(record.files[0].sha256).unlink()
        assert store.lookup(KEY) is None
    assert "is missing" in said[0]


def test_a_flipped_byte_of_a_record_is_noticed(tmp_path):
    with Store(tmp_path) as store:
        commit(store, KEY, {"a": b"1"})
    path = tmp_path / "nodes" / KEY[:2] / f"{KEY}.json"
    good = path.read_bytes()
    said, notice = notices()
    with Store(tmp_path, notice) as store:
        for place in range(0, len(good), 5):
            path.unlink(missing_ok=True)
            path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
            assert store.lookup(KEY) is None, f"byte {place}"
        path.unlink(missing_ok=True)
        path.write_bytes(good)
        assert store.lookup(KEY) is not None
    assert len(said) == len(range(0, len(good), 5))


def test_a_record_of_another_key_is_not_believed(tmp_path):
    with Store(tmp_path, lambda _: None) as store:
        commit(store, KEY, {"a": b"1"})
        target = tmp_path / "nodes" / OTHER[:2] / f"{OTHER}.json"
        target.parent.mkdir(parents=True)
        target.write_bytes((tmp_path / "nodes" / KEY[:2] / f"{KEY}.json").read_bytes())
        assert store.lookup(OTHER) is None


def test_materialised_files_are_writable_copies(tmp_path):
    with Store(tmp_path / "store") as store:
        record = commit(store, KEY, FILES)
        made = store.materialise(record, tmp_path / "run")
        assert contents(tmp_path / "run") == FILES
        for path in made:
            assert path.stat().st_nlink == 1
            assert path.stat().st_mode & stat.S_IWUSR
            path.write_bytes(b"the user's own")
        assert store.lookup(KEY) == record


def test_materialising_replaces_a_link_instead_of_writing_through_it(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / "run" / "fit.json").symlink_to(tmp_path / "precious")
    with Store(tmp_path / "store") as store:
        store.materialise(commit(store, KEY, FILES), tmp_path / "run")
    assert (tmp_path / "precious").read_bytes() == b"precious"
    assert (tmp_path / "run" / "fit.json").read_bytes() == b"{}"


def test_materialising_never_hands_out_damaged_bytes(tmp_path):
    with Store(tmp_path / "store") as store:
        record = commit(store, KEY, {"a": b"right"})
        path = store.objects.path(record.files[0].sha256)
        path.chmod(0o644)
        path.write_bytes(b"wrong")
        with pytest.raises(StoreError, match="damaged"):
            store.materialise(record, tmp_path / "run")
    assert contents(tmp_path / "run") == {}


@pytest.mark.parametrize("kind", ["symlink", "fifo", "name"])
def test_only_plain_files_with_plain_names_are_kept(tmp_path, kind):
    with Store(tmp_path) as store, store.work() as folder:
        if kind == "symlink":
            (folder / "a").symlink_to("/etc/passwd")
        elif kind == "fifo":
            os.mkfifo(folder / "a")
        else:
            (folder / "a b\n").write_bytes(b"")
        with pytest.raises(StoreError, match="cannot be stored"):
            store.commit(KEY, "fit", "fit", folder)
        assert store.lookup(KEY) is None


def test_leftovers_are_swept_on_opening(tmp_path):
    with Store(tmp_path) as store:
        commit(store, KEY, FILES)
    stray = tmp_path / "scratch" / "work-dead"
    stray.mkdir()
    (stray / "half").write_bytes(b"half")
    with Store(tmp_path) as store:
        assert not stray.exists()
        assert store.lookup(KEY) is not None


def test_a_work_folder_is_gone_afterwards_even_after_a_failure(tmp_path):
    def interrupted(store):
        with store.work() as folder:
            (folder / "x").write_bytes(b"x")
            raise KeyboardInterrupt

    with Store(tmp_path) as store:
        with pytest.raises(KeyboardInterrupt):
            interrupted(store)
        assert list((tmp_path / "scratch").iterdir()) == []


def test_another_format_is_refused(tmp_path):
    Store(tmp_path).close()
    (tmp_path / "FORMAT").unlink()
    (tmp_path / "FORMAT").write_text("synthspec.store/9\n")
    with pytest.raises(StoreError, match=r"synthspec\.store/9"):
        Store(tmp_path)
    (tmp_path / "FORMAT").unlink()
    Store(tmp_path).close()  # the lock was given back


def test_a_place_that_cannot_be_a_store_says_why(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot create") as caught:
        Store(tmp_path / "file" / "store")
    assert caught.value.help


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS])
@pytest.mark.parametrize("broken", ["replace", "fsync"])
def test_a_disk_that_refuses_leaves_nothing_half_written(tmp_path, monkeypatch, number, broken):
    def refuse(*_args, **_kwargs):
        raise OSError(number, os.strerror(number))

    with Store(tmp_path) as store:
        kept = commit(store, KEY, FILES)
        with monkeypatch.context() as patch:
            patch.setattr(*((Path, "replace") if broken == "replace" else (os, "fsync")), refuse)
            with pytest.raises(StoreError, match=r"cannot (store|write)") as caught:
                commit(store, OTHER, {"new": b"new"})
        assert os.strerror(number) in caught.value.message
        assert caught.value.help
        assert store.lookup(OTHER) is None
        assert store.lookup(KEY) == kept
        assert list((tmp_path / "scratch").iterdir()) == []
        assert commit(store, OTHER, {"new": b"new"}) == store.lookup(OTHER)


def test_an_interrupted_atomic_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    (tmp_path / "scratch").mkdir()
    write_atomically(tmp_path / "x", b"old", tmp_path / "scratch")

    def interrupt(*_args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", interrupt)
        with pytest.raises(KeyboardInterrupt):
            write_atomically(tmp_path / "x", b"new", tmp_path / "scratch")
    assert contents(tmp_path) == {"x": b"old"}


def test_a_second_user_waits_with_a_message(tmp_path):
    first = Store(tmp_path)
    said, notice = notices()
    order: list[str] = []

    def second():
        with Store(tmp_path, notice):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    while not said:
        time.sleep(0.005)
    order.append("first")
    first.close()
    thread.join(10)
    assert order == ["first", "second"]
    assert f"process {os.getpid()} is using the store" in said[0]


# -- the journal ------------------------------------------------------------------------------------------------------


def log(store: Store, *states: str) -> None:
    for state in states:
        store.journal.append(state, node="fit", op="fit", key=KEY)


def states(path: Path) -> list[str]:
    with Store(path, lambda _: None) as store:
        return [entry.state for entry in store.journal.entries]


@given(cut=st.integers(1, 400))
@settings(max_examples=10, deadline=None)
def test_a_torn_last_line_is_cut_off(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("journal")
    with Store(path) as store:
        log(store, "running", "done")
        whole = store.journal._end
        log(store, "reused")
    journal = path / "journal.jsonl"
    data = journal.read_bytes()
    journal.write_bytes(data[: max(whole, len(data) - cut)])
    assert states(path) == ["running", "done"]
    assert len(journal.read_bytes()) == whole
    with Store(path) as store:
        log(store, "failed")
    assert states(path) == ["running", "done", "failed"]
    assert not (path / "quarantine").exists()


def test_a_journal_that_was_tampered_with_is_kept_aside_and_said(tmp_path):
    with Store(tmp_path) as store:
        log(store, "running", "done", "reused")
    journal = tmp_path / "journal.jsonl"
    first, second, third = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(first + second.replace(b"done", b"gone") + third)
    said, notice = notices()
    with Store(tmp_path, notice) as store:
        assert [entry.state for entry in store.journal.entries] == ["running"]
    assert "line 2 is not sound" in said[0]
    assert [path.read_bytes().count(b"\n") for path in (tmp_path / "quarantine").iterdir()] == [3]


@pytest.mark.parametrize("tamper", ["drop", "swap", "edit"])
def test_the_seals_chain_the_lines(tmp_path, tamper):
    with Store(tmp_path) as store:
        log(store, "running", "done", "reused", "running")
    journal = tmp_path / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    if tamper == "drop":
        del lines[1]
    elif tamper == "swap":
        lines[1], lines[2] = lines[2], lines[1]
    else:
        lines[1] = lines[1].replace(b'"node":"fit"', b'"node":"fot"')
    journal.write_bytes(b"".join(lines))
    assert states(tmp_path) == ["running"]


def test_a_journal_line_that_cannot_be_written_leaves_no_part(tmp_path, monkeypatch):
    with Store(tmp_path) as store:
        log(store, "running")
        real = os.write

        def short(handle, data):
            real(handle, data[:10])
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(os, "write", short)
            with pytest.raises(StoreError, match="No space left"):
                log(store, "done")
        log(store, "failed")
    assert states(tmp_path) == ["running", "failed"]


# -- kill -9 ----------------------------------------------------------------------------------------------------------

WRITER = """
import hashlib, itertools, sys
from pathlib import Path
from synthspec.store import Store
store = Store(Path(sys.argv[1]))
print("open", flush=True)
for number in itertools.count(int(sys.argv[2])):
    key = hashlib.sha256(str(number).encode()).hexdigest()
    store.journal.append("running", node="fit", op="fit", key=key)
    with store.work() as folder:
        for name in "ab":
            (folder / name).write_bytes(f"{number}{name}".encode() * 20000)
        store.commit(key, "fit", "fit", folder)
    store.journal.append("done", node="fit", op="fit", key=key)
    print(number, flush=True)
"""


def test_unfinished_work_is_found_again_until_its_result_is_there(tmp_path):
    with Store(tmp_path) as store:
        folder = store.unfinished(KEY)
        assert not folder.exists()
        folder.mkdir()
        (folder / "half").write_bytes(b"half")
    with Store(tmp_path) as store:
        assert (store.unfinished(KEY) / "half").read_bytes() == b"half"
        commit(store, KEY, {"a": b"whole"})
        assert not store.unfinished(KEY).exists()
        assert store.lookup(KEY) is not None


def test_unfinished_work_that_nobody_asks_for_again_does_not_pile_up(tmp_path):
    with Store(tmp_path) as store:
        for number in range(8):
            folder = store.unfinished(key_of(str(number)))
            folder.mkdir()
            os.utime(folder, (number, number))
        store.unfinished(key_of("0")).mkdir(exist_ok=True)
        kept = {path.name for path in (tmp_path / "unfinished").iterdir()}
    assert kept == {key_of(str(number)) for number in (0, 4, 5, 6, 7)}


def test_killed_again_and_again_the_store_stays_consistent(tmp_path):
    begin = 0
    for round_ in range(6):
        child = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(begin)], stdout=subprocess.PIPE)
        assert child.stdout.readline() == b"open\n"
        last = int(child.stdout.readline())
        time.sleep(0.004 * round_)
        child.send_signal(signal.SIGKILL)
        said = child.stdout.read().split()
        child.wait()
        child.stdout.close()
        finished = range(max([last, *map(int, said)]) + 1)
        complaints, notice = notices()
        with Store(tmp_path, notice) as store:
            for number in finished:
                record = store.lookup(key_of(str(number)))
                assert record is not None, f"{number} was reported as done"
                assert contents(store.view(record)) == {n: f"{number}{n}".encode() * 20000 for n in "ab"}
            done = [entry.key for entry in store.journal.entries if entry.state == "done"]
            assert set(map(key_of, map(str, finished))) <= set(done) | {key_of(str(finished[-1]))}
            assert all(store.lookup(key) for key in done)
            assert list((tmp_path / "scratch").iterdir()) == []
        assert complaints == []
        begin = len(finished)
