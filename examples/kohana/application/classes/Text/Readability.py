"""A helper that PHP calls: how easy a text is to read."""

import re
from collections import Counter


class Text_Readability:
    """Counts words and sentences of an English text."""

    def __init__(self, text: str) -> None:
        self.words = re.findall(r"[a-z']+", text.lower())
        self.sentences = max(1, len(re.findall(r"[.!?]+", text)))

    @classmethod
    def factory(cls, text: str) -> "Text_Readability":
        """As Kohana's classes have it: `Text_Readability::factory($text)->ease()`."""
        return cls(text)

    def ease(self) -> float:
        """The Flesch reading ease: 100 is very easy, 0 very hard."""
        if not self.words:
            return 100.0
        syllables = sum(max(1, len(re.findall(r"[aeiouy]+", word))) for word in self.words)
        count = len(self.words)
        return round(206.835 - 1.015 * count / self.sentences - 84.6 * syllables / count, 1)

    def most_common(self, count: int = 5) -> dict[str, int]:
        """The words that come most often."""
        return dict(Counter(self.words).most_common(count))
