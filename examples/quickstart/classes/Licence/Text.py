"""Licences that every Debian machine keeps a copy of, and how their sections descend from one another."""

from __future__ import annotations

import difflib
import re
import statistics
from collections.abc import Iterator
from pathlib import Path


class Licence_Text:
    """A licence, cut into its numbered sections."""

    FOLDER = "/usr/share/common-licenses"

    def __init__(self, name: str) -> None:
        files = {path.name: path for path in Path(self.FOLDER).iterdir()}
        try:
            text = files[name].read_text(encoding="utf-8")
        except KeyError as error:
            similar = ", ".join(difflib.get_close_matches(name, files))
            raise LookupError(f"there is no licence {name} in {self.FOLDER} (similar: {similar})") from error
        self.name = name
        self.sections = list(_sections(text))

    @classmethod
    def load(cls, *names: str) -> list[Licence_Text]:
        """Several licences at once."""
        return [cls(name) for name in names]

    @staticmethod
    def names() -> list[str]:
        """The licences of this machine, without those that are only another name of one."""
        return sorted(path.name for path in Path(Licence_Text.FOLDER).iterdir() if not path.is_symlink())

    def measures(self) -> dict[str, float]:
        """How many sections and words it has, and how long its sentences are, in words."""
        lengths = [length for section in self.sections for length in section.sentence_lengths()]
        return {
            "sections": len(self.sections),
            "words": sum(lengths),
            "median sentence": statistics.median(lengths or [0]),
            "longest sentence": max(lengths, default=0),
        }

    def compare(self, older: Licence_Text, least: float = 0.0) -> list[Licence_Match]:
        """For each section the most similar one of an older licence, if it is at least that similar (0 to 1)."""
        if not older.sections:
            raise ValueError(f"the licence {older.name} has no numbered sections")
        matches = (section.closest(older.sections) for section in self.sections)
        return [match for match in matches if match.similarity >= least]


class Licence_Section:
    """A numbered section of a licence."""

    def __init__(self, number: int, title: str, text: str) -> None:
        self.number = number
        self.title = title
        self.text = text
        self.words = text.split()

    def sentence_lengths(self) -> list[int]:
        sentences = (sentence.split() for sentence in re.split(r"[.!?](?=\s|$)", self.text))
        return [len(words) for words in sentences if words]

    def closest(self, others: list[Licence_Section]) -> Licence_Match:
        """The most similar of several sections."""
        return max((Licence_Match(self, other) for other in others), key=lambda match: match.similarity)


class Licence_Match:
    """Two sections side by side, compared word by word."""

    def __init__(self, section: Licence_Section, origin: Licence_Section) -> None:
        self.section = section
        self.origin = origin
        self._matcher = difflib.SequenceMatcher(None, origin.words, section.words, autojunk=False)
        self.similarity = self._matcher.ratio()

    def longest(self) -> str:
        """The longest passage that both have, word for word."""
        block = self._matcher.find_longest_match()
        return " ".join(self.origin.words[block.a : block.a + block.size])


def _sections(text: str) -> Iterator[Licence_Section]:
    """A line that begins with a number begins a section; a short first paragraph is its title."""
    terms, _, _ = text.partition("END OF TERMS AND CONDITIONS")
    _, *numbered = re.split(r"^ {0,3}(\d+)\. ", terms, flags=re.MULTILINE)
    for number, body in zip(numbered[::2], numbered[1::2], strict=True):
        first, _, rest = body.strip().partition("\n\n")
        title = first.partition("\n")[0].strip(". ") if rest and len(first) < 100 else ""
        yield Licence_Section(int(number), title, rest if title else body)
