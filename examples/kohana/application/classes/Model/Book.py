"""The catalogue, in which titles are found also if they are spelled otherwise."""

import difflib
import statistics
from dataclasses import dataclass

import kohana

from php import Model, Validation


@dataclass
class Book:
    """A book. Views read its fields like properties."""

    number: int
    title: str
    author: str
    isbn: str
    pages: int


class Model_Book(Model):
    """Finds books."""

    def __init__(self) -> None:
        self.books = [Book(number, *row) for number, row in enumerate(kohana.config("books.catalogue"), start=1)]

    def all(self) -> list[Book]:
        """All books, in order."""
        return self.books

    def find(self, number: int | str) -> Book | None:
        """The book of a number, or None."""
        return next((book for book in self.books if str(book.number) == str(number)), None)

    def like(self, title: str) -> list[Book]:
        """Books with a title like this one, the likest first."""

        def likeness(book: Book) -> float:
            return difflib.SequenceMatcher(None, title.lower(), book.title.lower()).ratio()

        least = kohana.config("books.least_likeness", 0.5)
        return [book for book in sorted(self.books, key=likeness, reverse=True) if likeness(book) >= least]

    def is_new(self, validation: Validation, field: str) -> None:
        """A callback of a validation: no other book has this number."""
        if any(book.isbn == validation[field] for book in self.books):
            validation.error(field, "is_new")

    def usual_pages(self) -> float:
        """The median of the pages."""
        return statistics.median(book.pages for book in self.books)

    def pages_per_day(self, days: int) -> float:
        """How much is to be read each day to be through in time."""
        try:
            return sum(book.pages for book in self.books) / days
        except ZeroDivisionError as error:
            raise ValueError(f"nobody reads {len(self.books)} books in {days} days") from error
