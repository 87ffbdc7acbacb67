"""Pages of the catalogue: a controller like any other, written in Python."""

import kohana

from php import HTML, Controller, Model_Book, Validation, View


class Controller_Books(Controller):
    """Lists, shows and adds books."""

    def before(self) -> None:
        super().before()
        self.books = Model_Book()

    def action_index(self) -> None:
        """All books, or those whose titles are like `?title=`."""
        title = self.request.query("title") or ""
        view = View.factory("books/index")
        view.title = title
        view.books = self.books.like(title) if title else self.books.all()
        self.show(view, kohana.translate("Books"))

    def action_show(self) -> None:
        """One book, with those that are like it."""
        number = self.request.param("id")
        book = self.books.find(number)
        if book is None:
            raise kohana.HTTPException(404, "There is no book :number.", {":number": number})
        view = View.factory("books/show")
        view.book = book
        view.others = [other for other in self.books.like(book.title) if other is not book]
        self.show(view, book.title)

    def action_add(self) -> None:
        """Checks a form. Its rules are Python too: see Isbn.py."""
        view = View.factory("books/add")
        view.errors = {}
        view.form = self.request.post() or {"title": "", "isbn": ""}
        if self.request.method() == "POST":
            check = (
                Validation.factory(view.form)
                .rule("title", "not_empty")
                .rule("isbn", "Isbn::is_valid")
                .rule("isbn", [self.books, "is_new"], [":validation", ":field"])
            )
            if check.check():
                kohana.log("info", "added :isbn", {":isbn": view.form["isbn"]})
                kohana.redirect("books/index")
            view.errors = check.errors("book")
        self.show(view, kohana.translate("Add a book"))

    def action_fail(self) -> None:
        """Shows what an error looks like."""
        self.books.pages_per_day(days=0)

    def show(self, view: View, title: str) -> None:
        """Puts a view into the page."""
        page = View.factory("page")
        page.title = HTML.chars(title)
        page.content = view
        self.response.body(page)
