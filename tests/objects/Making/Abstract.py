from abc import ABC, abstractmethod


class Making_Abstract(ABC):
    """Cannot be made."""

    @abstractmethod
    def work(self) -> None: ...
