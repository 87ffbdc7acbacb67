"""Rules for a Validation: `->rule('isbn', 'Isbn::is_valid')`."""


class Isbn:
    """The numbers of books."""

    @staticmethod
    def is_valid(value: str) -> bool:
        """Whether it has 13 digits, of which the last one is right."""
        digits = [int(digit) for digit in value if digit.isdigit()]
        weighted = sum(digit * (3 if place % 2 else 1) for place, digit in enumerate(digits))
        return len(digits) == 13 and weighted % 10 == 0
