"""Objects that lie about themselves, or change what they are."""

import threading
from typing import Any


class Metaclass(type):
    """Answers no question about its classes."""

    def __getattribute__(cls, name: str) -> Any:
        raise RuntimeError(f"the metaclass was asked for {name}")

    def __eq__(cls, other: object) -> bool:
        raise RuntimeError("the metaclass was asked for equality")

    def __hash__(cls) -> int:
        raise RuntimeError("the metaclass was asked for a hash")


class Lying:
    """Makes them."""

    def mute_class(self) -> Any:
        class Mute(metaclass=Metaclass):
            def speak(self) -> str:
                return "spoken"

        return Mute()

    def no_class(self) -> Any:
        class Posing:
            @property
            def __class__(self) -> Any:
                raise RuntimeError("asked for its class")

            def speak(self) -> str:
                return "spoken"

        return Posing()

    def posing_as_list(self) -> Any:
        class Posing:
            __class__ = list

            def speak(self) -> str:
                return "spoken"

        return Posing()

    def uncallable(self) -> Any:
        class Uncallable:
            @property
            def __call__(self) -> Any:
                raise RuntimeError("asked for its call")

        return Uncallable()

    def odd_name(self) -> Any:
        return type("a b\n;}", (), {"speak": lambda self: "spoken"})()

    def named_like_phps(self) -> Any:
        return type("stdClass", (), {"speak": lambda self: "spoken"})()

    def raise_named_like_phps(self) -> None:
        raise type("Error", (Exception,), {})("not PHP's")

    def become(self, number: int) -> "Lying":
        self.__class__ = type(f"Lying{number}", (Lying,), {"number": lambda self: number})
        return self

    def forget_all(self) -> None:
        self.__dict__ = {}

    def circle(self) -> Any:
        other = Lying()
        other.other = other
        return other

    def builtins(self) -> list[Any]:
        return [
            int,
            None,
            type,
            Ellipsis,
            NotImplemented,
            property(),
            range(3),
            slice(1),
            memoryview(b"ab"),
            1j,
            threading.Lock(),
        ]

    def unequal(self) -> Any:
        class Unequal:
            def __eq__(self, other: object) -> bool:
                raise RuntimeError("asked for equality")

            def __hash__(self) -> int:
                raise RuntimeError("asked for a hash")

            def __bool__(self) -> bool:
                raise RuntimeError("asked for its truth")

            def __repr__(self) -> str:
                raise RuntimeError("asked for a text")

            def __len__(self) -> int:
                raise RuntimeError("asked for its length")

        self.kept = Unequal()
        return self.kept
