"""A session without a sidecar: `session.py LIBRARY CLASSES CLIENT CONTROL`, with the descriptors of two sockets."""

import sys

library, classes, client, control = sys.argv[1:]
sys.path.insert(0, library)

from tortoise_worker import session  # noqa: E402
from tortoise_worker.zygote import Client  # noqa: E402

session.run(Client(socket=int(client), control=int(control), roots=[classes], modules=[], process=0))
