"""Kohana, for Python classes of a Kohana application.

    import kohana

    kohana.config("shop.currency")                      # config/shop.php, and what other readers have
    kohana.translate("hello :name", {":name": "Ada"})   # __()
    kohana.log("warning", "there is no :what", {":what": "tea"})
    kohana.cache.set("prices", prices, 3600)
    kohana.cache.get("prices")
    kohana.request().param("id")                        # Request::current()
    raise kohana.HTTPException(404, "no book :id", {":id": 7})
    raise kohana.ValidationException({"isbn": "is_valid"})
    kohana.redirect("books/index")

Each of these asks PHP, and so works while PHP waits for Python: in what PHP has called. Any other class or function of
PHP is `from php import Arr` or `php.function("Text::limit_words")`.
"""

import pkgutil

from kohana._asking import config, log, redirect, request, translate
from kohana._cache import Cache, cache
from kohana._exceptions import HTTPException, ValidationException, maps_exceptions

__all__ = [
    "Cache",
    "HTTPException",
    "ValidationException",
    "cache",
    "config",
    "log",
    "maps_exceptions",
    "redirect",
    "request",
    "translate",
]

# In Kohana 3.2 the application's own `Kohana_Foo` stands in a folder of this name: `classes/kohana/foo.py`.
__path__[:] = pkgutil.extend_path(list(__path__), __name__)
