"""`reload = on-change`: a session whose files have changed leaves before the next request."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import wire
from peers import Client, FailedError, Supervisor, lines


@pytest.fixture
def start() -> Iterator[Callable[..., Supervisor]]:
    """Starts workers that look for changes."""
    started: list[Supervisor] = []

    def start(**settings: Any) -> Supervisor:
        started.append(Supervisor(reload="on-change", **settings))
        return started[-1]

    yield start
    for each in started:
        if each.process.returncode is None:
            each.leave()


def write(file: Path, value: object, age: float = 60) -> None:
    """Writes a class that has a value; by default a while ago."""
    file.write_text(lines(f"class {file.stem}:", "    def value(self):", f"        return {value!r}"))
    then = file.stat().st_mtime_ns - int(age * 1e9)
    os.utime(file, ns=(then, then))


def request(client: Client, name: str) -> object:
    """The value that a class has in a request of its own."""
    value = client.call(client.new(name), "value")
    client.send(wire.END_REQUEST, call=0)
    return value


def is_retired(client: Client, name: str) -> bool:
    """Whether the session leaves in place of doing a request."""
    client.send(wire.DESCRIBE, name, None)
    return client.receive() == (wire.RETIRED, 0, b"") and client.ends()


def test_a_changed_file_ends_the_session_before_the_next_request(
    start: Callable[..., Supervisor], tmp_path: Path
) -> None:
    supervisor = start()
    write(tmp_path / "Model.py", 1)
    client = supervisor.client(tmp_path)
    assert [request(client, "Model") for _ in range(3)] == [1, 1, 1]
    model = client.new("Model")
    write(tmp_path / "Model.py", 2, age=30)
    # Not in the middle of a request.
    assert client.call(model, "value") == 1
    client.send(wire.END_REQUEST, call=0)
    assert is_retired(client, "Model")
    assert supervisor.status_of(client.session) == 0
    assert request(supervisor.client(tmp_path), "Model") == 2


def test_a_file_that_changes_in_the_request_that_loads_it_is_noticed(
    start: Callable[..., Supervisor], tmp_path: Path
) -> None:
    supervisor = start()
    write(tmp_path / "Model.py", 1)
    client = supervisor.client(tmp_path)
    model = client.new("Model")
    write(tmp_path / "Model.py", 2, age=0)
    assert client.call(model, "value") == 1
    client.send(wire.END_REQUEST, call=0)
    assert is_retired(client, "Model")


def test_imports_count_and_what_is_gone(start: Callable[..., Supervisor], tmp_path: Path) -> None:
    supervisor = start()
    write(tmp_path / "Part.py", 1)
    (tmp_path / "Whole.py").write_text("from Part import Part\nclass Whole(Part): pass\n")
    os.utime(tmp_path / "Whole.py", (1, 1))
    client = supervisor.client(tmp_path)
    assert [request(client, "Whole") for _ in range(2)] == [1, 1]
    (tmp_path / "Part.py").unlink()
    assert is_retired(client, "Whole")


def test_a_file_that_did_not_import_is_read_again(start: Callable[..., Supervisor], tmp_path: Path) -> None:
    supervisor = start()
    file = tmp_path / "Model.py"
    file.write_text("class Model(:\n")
    client = supervisor.client(tmp_path)
    with pytest.raises(FailedError, match="invalid syntax"):
        client.describe("Model")
    client.send(wire.END_REQUEST, call=0)
    write(file, 1, age=0)
    assert request(client, "Model") == 1


def test_without_it_the_session_stays(start: Callable[..., Supervisor], tmp_path: Path) -> None:
    supervisor = Supervisor(reload="never")
    write(tmp_path / "Model.py", 1)
    client = supervisor.client(tmp_path)
    assert request(client, "Model") == 1
    write(tmp_path / "Model.py", 2, age=30)
    assert request(client, "Model") == 1
    supervisor.leave()


def test_a_changed_preloaded_file_is_reported(start: Callable[..., Supervisor], tmp_path: Path) -> None:
    write(tmp_path / "Model.py", 1)
    supervisor = start(preload=["Model"], path=[str(tmp_path)], spare_sessions=1)
    client = supervisor.client(tmp_path)
    assert [request(client, "Model") for _ in range(2)] == [1, 1]
    write(tmp_path / "Model.py", 2, age=30)
    assert is_retired(client, "Model")
    assert supervisor.hear("changed") == {"changed": str(tmp_path / "Model.py")}
    # A new process of this worker has the old code as well.
    again = supervisor.client(tmp_path)
    assert is_retired(again, "Model")
    supervisor.hear("changed")


def test_after_a_failed_reload_old_code_is_served(start: Callable[..., Supervisor], tmp_path: Path) -> None:
    write(tmp_path / "Model.py", 1)
    supervisor = start(preload=["Model"], path=[str(tmp_path)])
    (tmp_path / "Model.py").write_text("class Model(:\n")
    client = supervisor.client(tmp_path, stale=True)
    assert [request(client, "Model") for _ in range(3)] == [1, 1, 1]
    # It may have been mended: the supervisor tries again, once.
    supervisor.hear("changed")
    assert not supervisor.has_heard("changed")
    write(tmp_path / "Model.py", 2, age=10)
    assert is_retired(client, "Model")
    supervisor.hear("changed")
