"""The application's cache: that of Kohana's Cache module, or of Kohana itself where that is not enabled."""

from typing import Any

import php

_get = php.function("Tortoise_Service::cache_get")
_set = php.function("Tortoise_Service::cache_set")
_delete = php.function("Tortoise_Service::cache_delete")


class Cache:
    """A cache of PHP's: `kohana.cache` is the default one, `kohana.cache("memcache")` the one of that group.

    It takes what PHP can keep: numbers, texts, lists and dicts of them.
    """

    def __init__(self, group: str | None = None) -> None:
        self._group = group

    def __call__(self, group: str) -> "Cache":
        """The cache of a group of `config/cache.php`."""
        return Cache(group)

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key, or the default if there is none or its time is over."""
        found = _get(self._group, key)
        return default if found is None else found

    def set(self, key: str, value: object, lifetime: int | None = None) -> None:
        """Keeps a value for some seconds, by default for as long as the configuration says."""
        _set(self._group, key, value, lifetime)

    def delete(self, key: str) -> None:
        """Forgets a key. There need not be one."""
        _delete(self._group, key)


cache = Cache()
