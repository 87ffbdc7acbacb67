"""Has a time to live."""

from Shared.Counter import Counter
from tortoise_worker import shareable


@shareable(time_to_live=3600)
class Fleeting(Counter):
    pass
