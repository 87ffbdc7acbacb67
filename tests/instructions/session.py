"""A session without a sidecar: `session.py LIBRARY CLASSES CLIENT CONTROL`, with the descriptors of two sockets."""

import sys

library, classes, client, control = sys.argv[1:]
sys.path.insert(0, library)

from tortoise_worker import interrupts, line, session  # noqa: E402
from tortoise_worker.control import Client  # noqa: E402
from tortoise_worker.settings import Settings  # noqa: E402

zygote, own = line.pair()
# Open as long as the process, which ends when the zygote does.
zygote.detach()
# Under valgrind its end takes long.
session.Session(session.prepare(), Settings(grace=600)).serve(
    Client(socket=int(client), roots=[classes], modules=[], process=0),
    control=int(control),
    line=own.detach(),
    slot=None,
    alarm=interrupts.install(),
)
