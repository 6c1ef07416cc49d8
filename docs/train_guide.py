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
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from sklearn.svm import LinearSVC

ROOT = Path(__file__).parent.parent
HELP = ROOT / "lockbots_magic" / "help"
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

from questions import read_questions  # noqa: E402  # needs the path

from lockbots_magic.help import reading  # noqa: E402
from lockbots_magic.help.classifier import (  # noqa: E402
    SCALE,
    STAYS,
    UNRELATED,
    Classifier,
    derive_features,
    foreign_stems,
)
from lockbots_magic.help.ranking import CANDIDATES, derive_page_features  # noqa: E402
from lockbots_magic.help.sections import load_sections, read_data  # noqa: E402
from lockbots_magic.help.words import split_words  # noqa: E402

PASSAGE_WEIGHT = 0.5
"""Weight of a passage of a page; a title, keyword or question weighs 1."""
SENTENCE_WEIGHT = 0.3
"""Weight of a sentence of a passage."""
STAYING_WEIGHT = 0.5
"""Weight of a follow-up in what its page is found by: many name nothing of it."""
KIND_WEIGHTS = {"first": 1.0, "then": 1.0, "asked": 0.5, "first later": 0.06, "asked later": 0.06}
"""Weights of the kinds of questions where it is learnt which page answers."""
LEAVING_WEIGHT = 0.6
"""Of follow-ups that leave their page: one in four of those that people ask does, but more are collected."""
PENALTY = 1e-3
"""Of large weights there."""
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


class Compared(NamedTuple):
    """A question, and what speaks for each page by weights that were fitted without it."""

    text: Text
    pages: list[int]
    features: np.ndarray
    """A row for each page."""


def main() -> None:
    """Write the files, or tell how good they would be."""
    for language in ("en", "ru"):
        titles = [*(section.title for section in load_sections(language)), UNRELATED, STAYS]
        texts = [*read_texts(language, titles)]
        texts += switch_topics(texts, titles)
        features, information, matrix = vectorize(texts, len(titles) - 1)
        fitted = Classifier(tuple(titles), dict(zip(features, map(str, information), strict=True)))
        with mock.patch.object(reading, "load_classifier", lambda _language, of=fitted: of):  # not the last fit's
            names, compared = compare(matrix, texts, titles, language)
        if "--check" in sys.argv:
            sys.stdout.write(f"{language}\n{check(compared, len(titles) - 2)}")
            continue
        weights, bias = fit(matrix, texts)
        lines = [" | ".join(titles), "\t" + " ".join(str(round(SCALE * value)) for value in bias)]
        chosen = zip(names, fit_pages(compared), strict=True)
        lines += ["@\t" + " ".join(f"{name}={weight:.3f}" for name, weight in chosen)]
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


def compare(
    matrix: csr_matrix, texts: Sequence[Text], titles: Sequence[str], language: str
) -> tuple[list[str], list[Compared]]:
    """Return the names of what speaks for a page, and the questions with it, by weights fitted without each."""
    found = []
    for text, margins in hold_out(matrix, texts):
        best = [titles[page] for page in np.argsort(-margins[:-2], kind="stable")[:CANDIDATES]]
        topic = None if text.topic is None else load_sections(language)[text.topic]
        known = dict(zip(titles, margins.tolist(), strict=True))
        found.append((text, derive_page_features(text.text, best, known, language, topic)))
    names = sorted({name for _text, rows in found for row in rows.values() for name in row})
    number = {title: page for page, title in enumerate(titles)}
    return names, [
        Compared(
            text,
            [number[title] for title in rows],
            np.array([[row.get(name, 0.0) for name in names] for row in rows.values()]),
        )
        for text, rows in found
    ]


def hold_out(matrix: csr_matrix, texts: Sequence[Text]) -> Iterator[tuple[Text, np.ndarray]]:
    """Yield each question with its margins by weights that were fitted without it."""
    fold = np.array([_digest(text.text) % FOLDS if text.kind else -1 for text in texts])
    for number in range(FOLDS):
        weights, bias = fit(
            matrix[fold != number], [text for text, of in zip(texts, fold, strict=True) if of != number]
        )
        margins = matrix[fold == number] @ weights / SCALE + bias
        yield from zip([text for text, of in zip(texts, fold, strict=True) if of == number], margins, strict=True)


def fit_pages(compared: Sequence[Compared]) -> np.ndarray:
    """Return the weights that make the right pages likely."""
    cases = [
        (one.features, one.pages.index(one.text.page), _weigh(one.text))
        for one in compared
        if one.text.page in one.pages
    ]
    total = sum(weight for _features, _right, weight in cases)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = PENALTY * weights @ weights, 2 * PENALTY * weights
        for features, right, weight in cases:
            likely = _likely(features, weights)
            value -= weight / total * np.log(likely[right])
            likely[right] -= 1
            slope = slope + weight / total * (features.T @ likely)
        return value, slope

    fitted: np.ndarray = minimize(loss, np.zeros(compared[0].features.shape[1]), jac=True, method="L-BFGS-B").x
    return fitted


def _weigh(text: Text) -> float:
    is_leaving = text.kind == "then" and text.page != text.topic
    return LEAVING_WEIGHT if is_leaving else KIND_WEIGHTS[text.kind]


def _likely(features: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return how likely each page is."""
    scores = features @ weights
    likely: np.ndarray = np.exp(scores - scores.max())
    return likely / likely.sum()


def format_line(feature: str, information: float, weights: np.ndarray) -> str:
    """Return the line of one feature."""
    pairs = (f" {page}:{int(weights[page])}" for page in np.flatnonzero(weights))
    return f"{feature}\t{information}{''.join(pairs)}"


def check(compared: Sequence[Compared], unrelated: int) -> str:
    """Return a table: for each kind of question, the share of it that gets its page by weights fitted without it."""
    results: dict[str, list[bool]] = defaultdict(list)
    for fold in range(FOLDS):
        weights = fit_pages([one for one in compared if _digest(one.text.text) // FOLDS % FOLDS != fold])
        for one in compared:
            if _digest(one.text.text) // FOLDS % FOLDS == fold:
                order = np.argsort(-_likely(one.features, weights), kind="stable")
                for name, is_so in _judge(one.text, [one.pages[at] for at in order], unrelated):
                    results[f"{one.text.kind}: {name}"].append(is_so)
    return "".join(f"  {name}: {np.mean(of):.3f} of {len(of)}\n" for name, of in sorted(results.items()))


def _judge(text: Text, best: Sequence[int], unrelated: int) -> Iterator[tuple[str, bool]]:
    """Yield what can be said of the pages found for one question."""
    if text.page == unrelated:
        yield "unrelated refused", best[0] == unrelated
        return
    is_answered = best[0] != unrelated
    where = f" where it {'stays' if text.page == text.topic else 'leaves'}" if text.kind == "then" else ""
    yield f"page right{where}", best[0] == text.page
    yield f"page among three{where}", is_answered and text.page in [page for page in best if page != unrelated][:3]
    yield "wrongly refused", not is_answered


def _digest(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest(), 16)


if __name__ == "__main__":
    main()
