"""A zygote for each test file, a session for each test."""

import sys
from collections.abc import Iterator
from pathlib import Path

import peers
import pytest
import wire
from peers import Client, Supervisor

# Behind everything else, as in a worker.
sys.path.append(str(peers.LIBRARY))

CLASSES = Path(__file__).parent / "classes"


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    """A started worker."""
    started = Supervisor()
    yield started
    _, errors = started.leave()
    # What Python or Rust say when something is wrong in us, and what no test here provokes.
    assert "panicked" not in errors, errors
    assert "Fatal Python error" not in errors, errors
    assert started.process.returncode == 0, errors


@pytest.fixture
def client(supervisor: Supervisor) -> Iterator[Client]:
    """A client whose class root is the folder of fixtures."""
    connected = supervisor.client(CLASSES)
    yield connected
    connected.leave()
    assert supervisor.status_of(connected.session) == 0


@pytest.fixture
def probe(client: Client) -> wire.Object:
    """An object that evaluates what it is given."""
    return client.new("Probe")
