"""Two must be in a method at once."""

import threading

from tortoise_worker import shareable


@shareable(thread_safe=True)
class Meeting:
    def __init__(self) -> None:
        self.barrier = threading.Barrier(2)

    def meet(self) -> int:
        return self.barrier.wait(60)
