"""Fit the weights by which the guide finds the page for a question: `lockbots_magic/help/weights_*.txt`.

Needs scikit-learn (BSD), which the package itself does not: run it in an environment of its own, with
`pip install scikit-learn snowballstemmer`, after pages or collected questions changed. With `--check` it writes nothing
and tells for how many questions that it has not seen it finds the page (cross-validation).
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from unittest import mock  # noqa: TID251  # a script, not the package

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

ROOT = Path(__file__).parent.parent
HELP = ROOT / "lockbots_magic" / "help"
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

from questions import read_questions  # noqa: E402  # needs the path

from lockbots_magic.help import search  # noqa: E402
from lockbots_magic.help.classifier import (  # noqa: E402
    SCALE,
    STAYS,
    UNRELATED,
    Classifier,
    derive_features,
    foreign_stems,
)
from lockbots_magic.help.search import CLEAR_MARGIN, prefer_held  # noqa: E402
from lockbots_magic.help.sections import load_sections, read_data  # noqa: E402
from lockbots_magic.help.topic import signs_of_staying  # noqa: E402
from lockbots_magic.help.words import split_words  # noqa: E402

PASSAGE_WEIGHT = 0.5
"""Weight of a passage of a page; a title, keyword or question weighs 1."""
SENTENCE_WEIGHT = 0.3
"""Weight of a sentence of a passage."""
STAYING_WEIGHT = 0.5
"""Weight of a follow-up in what its page is found by: many name nothing of it."""
SWITCH_WEIGHT = 0.08
"""Weight of a first question, read as asked after an answer from another page, where staying is learnt."""
MIN_COUNT = 2
"""A feature of fewer texts than this is left out."""
MAX_WEIGHTS = 12
"""Pages that one feature has weights for."""
MIN_WEIGHT = 4
"""Least weight that is stored, as an integer."""
FOLDS = 5


class Text(NamedTuple):
    """A text that is about one page."""

    text: str
    page: int
    weight: float = 1
    kind: str = ""
    """Of questions: `asked`, `first`, `then` or, after an answer from another page, `asked later`, `first later`."""
    topic: int | None = None
    """Page that the answer before was from."""


class Held(NamedTuple):
    """A question and what weights that were fitted without it tell of it."""

    text: Text
    margins: np.ndarray


def main() -> None:
    """Write the files, or tell how good they would be."""
    for language in ("en", "ru"):
        titles = [*(section.title for section in load_sections(language)), UNRELATED, STAYS]
        texts = [*read_texts(language, titles)]
        texts += switch_topics(texts, titles)
        features, information, matrix = vectorize(texts, len(titles) - 1)
        fitted = Classifier(tuple(titles), dict(zip(features, map(str, information), strict=True)))
        with mock.patch.object(search, "load_classifier", lambda _language, of=fitted: of):  # not the last fit's
            held = hold_out(matrix, texts)
            signs = [sign(of, titles, language) for of in held if of.text.topic is not None]
            stay_weights = fit_staying(signs, [of.text for of in held if of.text.topic is not None])
            if "--check" in sys.argv:
                sys.stdout.write(f"{language}\n{check(held, signs, stay_weights, language)}")
                continue
        weights, bias = fit(matrix, texts)
        lines = [" | ".join(titles), "\t" + " ".join(str(round(SCALE * value)) for value in bias)]
        lines += ["@\t" + " ".join(f"{weight:.3f}" for weight in stay_weights)]
        lines += [format_line(*row) for row in zip(features, information, weights, strict=True)]
        (HELP / f"weights_{language}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_texts(language: str, titles: Sequence[str]) -> Iterator[Text]:
    """Yield what the pages say, what they are called, and the questions that were put about each."""
    for page, section in enumerate(load_sections(language)):
        yield from (Text(name, page) for name in (section.title, *section.keywords))
        yield from (Text(re.sub(r"(?m)^```\w*", "", one.text), page, PASSAGE_WEIGHT) for one in section.passages)
        for passage in section.passages:
            if passage.kind != "code" and len(sentences := re.split(r"(?<=[.!?:;])\s+", passage.text)) > 1:
                yield from (Text(sentence, page, SENTENCE_WEIGHT) for sentence in sentences)
        yield from (Text(question, page, kind="asked") for question in section.asked if question)
    for question in read_data(f"unrelated_{language}.txt").splitlines():
        yield Text(question, titles.index(UNRELATED), kind="asked")
    for text, before, page, _told in read_questions(language):
        topic = titles.index(before) if before else None
        weight = STAYING_WEIGHT if topic == titles.index(page) else 1
        yield Text(text, titles.index(page), weight, "then" if before else "first", topic)


def switch_topics(texts: Sequence[Text], titles: Sequence[str]) -> list[Text]:
    """Return the first questions, each as if asked after an answer from another page."""
    pages = len(titles) - 2
    return [
        text._replace(
            weight=0, kind=f"{text.kind} later", topic=(text.page + 1 + _digest(text.text) % (pages - 1)) % pages
        )
        for text in texts
        if text.kind in ("asked", "first")
    ]


def vectorize(texts: Sequence[Text], pages: int) -> tuple[list[str], list[float], csr_matrix]:
    """Return the features, their information, and the texts as rows of unit length, as the classifier reads them."""
    words = [split_words(text.text) for text in texts]
    counts = [Counter(derive_features(of)) for of in words]
    spread: Counter[str] = Counter()
    found: dict[str, set[int]] = defaultdict(set)
    for text, count in zip(texts, counts, strict=True):
        spread.update(count.keys() if text.weight > SENTENCE_WEIGHT else ())
        for feature in count:
            found[feature].add(text.page)
    features = sorted(feature for feature in spread if spread[feature] >= MIN_COUNT)
    information = [round(float(np.log(1 + (pages - (n := len(found[f])) + 0.5) / (n + 0.5))), 2) for f in features]
    column = {feature: number for number, feature in enumerate(features)}
    cells = []
    for row, (count, said) in enumerate(zip(counts, words, strict=True)):
        values = {at: (1 + np.log(n)) * information[at] for f, n in count.items() if (at := column.get(f)) is not None}
        unknown = sum(token not in column for token in foreign_stems(said)) * np.log(1 + 2 * pages) ** 2
        norm = np.sqrt(sum(value**2 for value in values.values()) + unknown) or 1
        cells += [(row, at, value / norm) for at, value in values.items()]
    rows, columns, values = zip(*cells, strict=True)
    return features, information, csr_matrix((values, (rows, columns)), (len(texts), len(features)))


def fit(matrix: csr_matrix, texts: Sequence[Text]) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights, a row for each feature with all but the largest set to 0, and the bias of each page."""
    machine = LinearSVC(C=0.5, random_state=0)
    weight = np.array([text.weight for text in texts])
    machine.fit(matrix[weight > 0], [text.page for text in texts if text.weight], weight[weight > 0])
    weights = np.round(SCALE * machine.coef_.T)
    least = np.sort(np.abs(weights), axis=1)[:, -MAX_WEIGHTS][:, None]
    weights[np.abs(weights) < np.maximum(least, MIN_WEIGHT)] = 0
    staying, bias = _fit_words_of_staying(matrix, texts)
    return np.column_stack([weights, staying]), np.append(machine.intercept_, bias)


def _fit_words_of_staying(matrix: csr_matrix, texts: Sequence[Text]) -> tuple[np.ndarray, float]:
    """Return the weights and the bias by which the words of a question tell that it goes on from an answer."""
    asked = [at for at, text in enumerate(texts) if text.topic is not None]
    machine = LinearSVC(C=0.5, random_state=0)
    stays = [texts[at].page == texts[at].topic for at in asked]
    machine.fit(matrix[asked], stays, [1 if texts[at].kind == "then" else 0.3 for at in asked])
    weights = np.round(SCALE * machine.coef_[0])
    weights[np.abs(weights) < MIN_WEIGHT] = 0
    return weights, machine.intercept_[0]


def hold_out(matrix: csr_matrix, texts: Sequence[Text]) -> list[Held]:
    """Return the margins of each question by weights that were fitted without it."""
    fold = np.array([_digest(text.text) % FOLDS if text.kind else -1 for text in texts])
    held = []
    for number in range(FOLDS):
        weights, bias = fit(
            matrix[fold != number], [text for text, of in zip(texts, fold, strict=True) if of != number]
        )
        margins = matrix[fold == number] @ weights / SCALE + bias
        held += map(Held, [text for text, of in zip(texts, fold, strict=True) if of == number], margins)
    return held


def sign(held: Held, titles: Sequence[str], language: str) -> list[float]:
    """Return the signs that a question goes on from the answer before."""
    margins = dict(zip(titles, held.margins, strict=True))
    return signs_of_staying(held.text.text, load_sections(language)[held.text.topic or 0], margins, language)


def fit_staying(signs: Sequence[Sequence[float]], texts: Sequence[Text]) -> list[float]:
    """Return the weights of the signs, and the bias."""
    machine = LogisticRegression(C=1000, max_iter=5000)
    stays = [text.page == text.topic for text in texts]
    machine.fit(signs, stays, [1 if text.kind == "then" else SWITCH_WEIGHT for text in texts])
    return [*machine.coef_[0].tolist(), float(machine.intercept_[0])]


def format_line(feature: str, information: float, weights: np.ndarray) -> str:
    """Return the line of one feature."""
    pairs = (f" {page}:{int(weights[page])}" for page in np.flatnonzero(weights))
    return f"{feature}\t{information}{''.join(pairs)}"


def check(held: Sequence[Held], signs: Sequence[Sequence[float]], stay_weights: Sequence[float], language: str) -> str:
    """Return a table: for each kind of question, the share of it that gets its page by weights fitted without it."""
    results: dict[str, list[bool]] = defaultdict(list)
    rest = iter(signs)
    for text, margins in held:
        best = _rank(text.text, margins, language)
        if text.topic is not None and np.dot([*next(rest), 1], stay_weights) > 0:
            best = [text.topic, *(page for page in best if page != text.topic)][:3]
        for name, is_so in _judge(text, best, len(margins) - 2):
            results[f"{text.kind}: {name}"].append(is_so)
    return "".join(f"  {name}: {np.mean(of):.3f} of {len(of)}\n" for name, of in sorted(results.items()))


def _rank(question: str, margins: np.ndarray, language: str) -> list[int]:
    """Return the numbers of the pages, best first, or first that of questions about something else."""
    *of_pages, of_others, _staying = margins.tolist()
    sections = load_sections(language)
    ranked = sorted(zip(of_pages, sections, strict=True), key=lambda pair: -pair[0])
    best = [sections.index(section) for _margin, section in prefer_held(ranked, question, language)[:3]]
    return best if ranked[0][0] > of_others + CLEAR_MARGIN else [len(sections), *best]


def _judge(text: Text, best: Sequence[int], unrelated: int) -> Iterator[tuple[str, bool]]:
    """Yield what can be said of the pages found for one question."""
    if text.page == unrelated:
        yield "unrelated refused", best[0] == unrelated
        return
    yield "page right", best[0] == text.page
    yield "page among three", text.page in best
    yield "wrongly refused", best[0] == unrelated
    if text.kind == "then":
        yield f"page right where it {'stays' if text.page == text.topic else 'leaves'}", best[0] == text.page


def _digest(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest(), 16)


if __name__ == "__main__":
    main()
