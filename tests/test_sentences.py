"""The sentences of the notebooks, the glossary and the page for teachers are short, for readers of many languages."""

import re

import nbformat
import pytest

from digitlab.paths import NOTEBOOKS

MAX_WORDS = 19
"""Maximum length of a sentence, in words. A piece of code is one word."""

_END = re.compile(r"(?<=[.!?])[\"”)]*\s+(?=[\"“(]?[A-Z0-9])|(?<=[.!?])\s+(?=\()|(?<=\))\s+(?=[A-Z])")
_NEW_PART = re.compile(r"\n\s*\n|\n(?=\s*(?:[-#]|\d+\.|\*{0,2}[a-d]\)|\|)[ )])|\|")


def sentences(markdown):
    """Split a text into sentences; a table's cell, a heading, a bold lead and an answer of a vote end one, too."""
    text = re.sub(r"```.*?```|</?\w+>", "\n\n", markdown, flags=re.DOTALL)
    text = re.sub(r"^(?: {7,}\S| {4}exercises\.).*$", "", text, flags=re.MULTILINE)  # A block of code within a list.
    text = re.sub(r"^\[[^\n]*\]\([^\n]*·(?:\n.+)*", "", text, flags=re.MULTILINE)  # A row of links.
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"`[^`]+`", "Code", text)
    text = re.sub(r"^(\s*(?:[-#]+ |\d+\. )?(?:\[ \] )?)\*\*([^*]+)\*\*", r"\1\2\n\n", text, flags=re.MULTILINE)
    for part in _NEW_PART.split(text):
        yield from filter(None, _END.split(" ".join(part.replace("*", "").split())))


def length(sentence):
    return sum(bool(re.search(r"\w", word)) for word in sentence.split())


def text_of(path):
    if path.suffix == ".md":
        return path.read_text("utf-8")
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


PATHS = sorted([*NOTEBOOKS.glob("0*.ipynb"), *NOTEBOOKS.glob("*.md")])


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_no_sentence_has_twenty_words(path):
    found = list(sentences(text_of(path)))
    assert len(found) > 100
    assert [(length(sentence), sentence) for sentence in found if length(sentence) > MAX_WORDS] == []


def test_sentences_are_split_where_a_reader_stops():
    text = (
        '- **Why? (step 2)** It has `a.b` and more. "Really?" asks Ada. (See 3.) Then:\n'
        "- a\n\n| one | two, 3.5 % |\n\n    exercises.test(1)\n\nIn *[the end](#x)* it is. So!"
    )
    assert list(sentences(text)) == [
        "- Why?",
        "(step 2)",
        "It has Code and more.",
        '"Really?" asks Ada.',
        "(See 3.",
        "Then:",
        "- a",
        "one",
        "two, 3.5 %",
        "In the end it is.",
        "So!",
    ]
