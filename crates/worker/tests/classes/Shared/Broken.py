"""Cannot be made at first."""


class Broken:
    attempts = 0

    def __init__(self, works_at: int) -> None:
        type(self).attempts += 1
        if type(self).attempts < works_at:
            raise ConnectionError(f"attempt {type(self).attempts}")
