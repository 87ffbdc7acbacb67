"""A Minion task: `php index.php --task=books:search --title="pride and prejudise"`."""

from typing import ClassVar

from php import Minion_CLI, Minion_Task, Model_Book, Validation


class Task_Books_Search(Minion_Task):
    """Searches for books whose titles are like a text.

    It takes these options:

        --title  the text, which must be given
        --most   how many books to show, 3 by default
    """

    _options: ClassVar[dict[str, object]] = {"title": None, "most": 3}

    def build_validation(self, validation: Validation) -> Validation:
        return super().build_validation(validation).rule("title", "not_empty").rule("most", "digit")

    def _execute(self, params: dict[str, str]) -> None:
        for book in Model_Book().like(params["title"])[: int(params["most"])]:
            Minion_CLI.write(f"{book.title} ({book.author}, {book.pages} pages)")
