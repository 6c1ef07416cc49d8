"""Fit the weights by which the guide finds the page for a question: `lockbots_magic/help/weights_*.txt`.

Needs scikit-learn (BSD), which the package itself does not: run it in an environment of its own, with
`pip install scikit-learn snowballstemmer`, after pages or collected questions changed. With `--check` it writes nothing
and tells for how many questions that it has not seen it finds the page (ten-fold cross-validation).
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.preprocessing import normalize
from sklearn.svm import LinearSVC

ROOT = Path(__file__).parent.parent
HELP = ROOT / "lockbots_magic" / "help"
sys.path.insert(0, str(ROOT))

from lockbots_magic.help.classifier import SCALE, UNRELATED, derive_features  # noqa: E402  # needs the path
from lockbots_magic.help.sections import load_sections, read_data  # noqa: E402
from lockbots_magic.help.words import split_words  # noqa: E402

PASSAGE_WEIGHT = 0.5
"""Weight of a passage of a page; a title, keyword or question weighs 1."""
MIN_COUNT = 3
"""A feature of fewer texts than this is left out."""
MAX_WEIGHTS = 12
"""Pages that one feature has weights for."""
FOLDS = 10

_FENCE = re.compile(r"^```\w*", re.MULTILINE)


class Text(NamedTuple):
    """A text that is about one page."""

    text: str
    page: int
    weight: float
    is_question: bool


def main() -> None:
    """Write the files, or tell how good they would be."""
    for language in ("en", "ru"):
        titles = [*(section.title for section in load_sections(language)), UNRELATED]
        texts = read_texts(language)
        if "--check" in sys.argv:
            sys.stdout.write(f"{language} {cross_validate(texts, len(titles))}\n")
            continue
        features, information, matrix = vectorize(texts, len(titles))
        weights, bias = fit(matrix, texts)
        lines = [" | ".join(titles), "\t" + " ".join(str(round(SCALE * value)) for value in bias)]
        lines += [format_line(*row) for row in zip(features, information, weights, strict=True)]
        (HELP / f"weights_{language}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_texts(language: str) -> list[Text]:
    """Return what the pages say, what they are called, and the questions that were put about each."""
    texts = []
    for page, section in enumerate(sections := load_sections(language)):
        texts += [Text(name, page, 1, is_question=False) for name in (section.title, *section.keywords)]
        texts += [
            Text(_FENCE.sub("", passage.text), page, PASSAGE_WEIGHT, is_question=False) for passage in section.passages
        ]
        texts += [Text(question, page, 1, is_question=True) for question in section.asked if question]
    unrelated = read_data(f"unrelated_{language}.txt").splitlines()
    return texts + [Text(question, len(sections), 1, is_question=True) for question in unrelated]


def vectorize(texts: list[Text], pages: int) -> tuple[list[str], list[float], csr_matrix]:
    """Return the features, their information, and the texts as rows of unit length."""
    counts = [Counter(derive_features(split_words(text.text))) for text in texts]
    spread = Counter(feature for count in counts for feature in count)
    found: dict[str, set[int]] = defaultdict(set)
    for text, count in zip(texts, counts, strict=True):
        for feature in count:
            found[feature].add(text.page)
    features = sorted(feature for feature in spread if spread[feature] >= MIN_COUNT)
    information = [round(float(np.log(1 + (pages - (n := len(found[f])) + 0.5) / (n + 0.5))), 2) for f in features]
    column = {feature: number for number, feature in enumerate(features)}
    cells = [
        (row, column[feature], (1 + np.log(n)) * information[column[feature]])
        for row, count in enumerate(counts)
        for feature, n in count.items()
        if feature in column
    ]
    rows, columns, values = zip(*cells, strict=True)
    return features, information, normalize(csr_matrix((values, (rows, columns)), (len(texts), len(features))))


def fit(matrix: csr_matrix, texts: list[Text]) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights, a row for each feature with all but the largest set to 0, and the bias of each page."""
    machine = LinearSVC(C=0.5, random_state=0)
    machine.fit(matrix, [text.page for text in texts], [text.weight for text in texts])
    weights = np.round(SCALE * machine.coef_.T)
    least = np.sort(np.abs(weights), axis=1)[:, -MAX_WEIGHTS][:, None]
    weights[np.abs(weights) < np.maximum(least, 2)] = 0
    return weights, machine.intercept_


def format_line(feature: str, information: float, weights: np.ndarray) -> str:
    """Return the line of one feature."""
    pairs = (f" {page}:{int(weights[page])}" for page in np.flatnonzero(weights))
    return f"{feature}\t{information}{''.join(pairs)}"


def cross_validate(texts: list[Text], pages: int) -> dict[str, float]:
    """Return the share of collected questions whose page is found, first or among three, by weights without them."""
    _features, _information, matrix = vectorize(texts, pages)
    digests = [int(hashlib.sha256(text.text.encode()).hexdigest(), 16) for text in texts]
    fold = np.array([d % FOLDS if text.is_question else -1 for d, text in zip(digests, texts, strict=True)])
    page = np.array([text.page for text in texts])
    first, three = 0, 0
    for number in range(FOLDS):
        seen = np.flatnonzero(fold != number)
        weights, bias = fit(matrix[seen], [texts[at] for at in seen])
        best = np.argsort(-(matrix[fold == number] @ weights / SCALE + bias), axis=1)
        wanted = page[fold == number][:, None]
        first, three = first + (best[:, :1] == wanted).sum(), three + (best[:, :3] == wanted).any(axis=1).sum()
    questions = (fold >= 0).sum()
    return {"questions": int(questions), "first": first / questions, "among three": three / questions}


if __name__ == "__main__":
    main()
