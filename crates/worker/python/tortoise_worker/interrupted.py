"""What is raised in a call that nobody waits for any more."""


class Interrupted(BaseException):
    """The one who made the call has left: its time was over, or it has ended.

    No `Exception`, so that code which goes on after errors does not go on after this.
    """

    __module__ = "tortoise_worker"
