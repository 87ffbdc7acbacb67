"""Parameters annotated as callables: PHP's names of functions and pairs are callables only there."""

import pytest
import wire
from peers import Client, FailedError, php_object

SOURCE = """
import typing
from collections.abc import Callable

def plain(function: Callable) -> str: return repr(function)
def quoted(function: "Callable[[int], str]") -> str: return repr(function)
def old(function: typing.Callable[..., int]) -> str: return repr(function)
def maybe(function: typing.Optional[Callable] = None) -> str: return repr(function)
def either(function: Callable | str) -> str: return repr(function)
def many(functions: list[Callable]) -> str: return repr(functions)
def other(function) -> str: return repr(function)

for name in ("plain", "quoted", "old"):
    globals()[name] = locals()[name]
self.functions = {name: value for name, value in locals().items() if callable(value)}
for name, function in self.functions.items():
    setattr(self, name, function)
"""


@pytest.fixture
def probe(client: Client, probe: wire.Object) -> wire.Object:
    """A probe with functions."""
    client.call(probe, "execute", "globals().update(Callable=__import__('collections.abc').abc.Callable)")
    client.call(probe, "execute", SOURCE)
    return probe


@pytest.mark.parametrize("method", ["plain", "quoted", "old", "maybe"])
def test_a_name_or_a_pair_is_a_callable(client: Client, probe: wire.Object, method: str) -> None:
    basket = php_object(2, class_id=1)
    assert client.call(probe, method, "strlen") == "<PHP function strlen>"
    assert client.call(probe, method, "A\\B::c") == "<PHP function A\\B::c>"
    assert client.call(probe, method, ["A\\B", "c"]) == "<PHP function A\\B::c>"
    assert client.call(probe, method, [basket, "add"]) == "<PHP method add of <PHP Basket #2>>"
    assert "bound method Probe.show" in client.call(probe, method, [probe, "show"])
    for wrong in (1, [], ["A"], "", [probe, "_private"], [probe, "nothing"], {"a": 1}, [1, "real"]):
        with pytest.raises(
            FailedError, match=r"^args\[0\]: expected a callable: a closure, the name"
        ) as caught:
            client.call(probe, method, wrong)
        assert not caught.value.ran


def test_what_may_be_something_else_is_that(client: Client, probe: wire.Object) -> None:
    assert client.call(probe, "maybe") == "None"
    assert client.call(probe, "maybe", None) == "None"
    assert client.call(probe, "either", "strlen") == "'strlen'"
    assert client.call(probe, "either", ["A", "b"]) == "<PHP function A::b>"
    assert (
        client.call(probe, "many", ["strlen", ["A", "b"]]) == "[<PHP function strlen>, <PHP function A::b>]"
    )
    assert client.call(probe, "other", "strlen") == "'strlen'"
    assert client.call(probe, "other", ["A", "b"]) == "['A', 'b']"
