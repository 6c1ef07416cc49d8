"""Fit the weights by which the guide finds the sentences of a page for a question: `passage_weights.txt`.

Before that, it writes which sentence answers which collected questions: `answered_*.txt`.

Needs NumPy and SciPy (BSD), which the package itself does not. With `--check` it writes nothing and tells how often
the right sentence is among the first one to five, by weights fitted without the questions on its page (five-fold).
"""

from __future__ import annotations

import sys
import zlib
from typing import NamedTuple
from unittest import mock  # noqa: TID251  # a script, not the package

import numpy as np
from questions import ROOT, UNANSWERED, read_questions  # sets the path
from scipy.optimize import minimize

from lockbots_magic.help import likeness
from lockbots_magic.help.passages import derive_sentence_features, split_sentences
from lockbots_magic.help.sections import load_sections

LIKENESS = likeness.likeness
FOLDS = 5
PENALTY = 0.002
"""Of the squares of the weights (ridge)."""
HELP = ROOT / "lockbots_magic" / "help"


class Case(NamedTuple):
    """A question, and the sentences of its page, with what speaks for each."""

    kind: str
    fold: int
    features: np.ndarray
    right: np.ndarray


def main() -> None:
    """Write the files, or tell how good the weights would be."""
    if "--check" not in sys.argv:
        for language in ("en", "ru"):
            lines = (f"{key}\t{' | '.join(questions)}\n" for key, questions in list_answered(language).items())
            (HELP / f"answered_{language}.txt").write_text("".join(lines), encoding="utf-8")
    with mock.patch.object(likeness, "likeness", liken_to_others):
        names, cases = read_cases()
    if "--check" not in sys.argv:
        lines = (f"{name} {weight:.2f}\n" for name, weight in zip(names, fit(cases), strict=True))
        (HELP / "passage_weights.txt").write_text("".join(lines), encoding="utf-8")
        return
    ranks: dict[str, list[int]] = {}
    for fold in range(FOLDS):
        weights = fit([case for case in cases if case.fold != fold])
        for case in cases:
            if case.fold == fold:
                order = np.argsort(-(case.features @ weights))
                ranks.setdefault(case.kind, []).append(int(np.flatnonzero(case.right[order])[0]))
    for kind, found in ranks.items():
        shares = [f"{sum(rank < count for rank in found) / len(found):.3f}" for count in (1, 2, 3, 4, 5)]
        sys.stdout.write(f"{kind}: {len(found)} questions, among the first 1 to 5: {', '.join(shares)}\n")


def list_answered(language: str) -> dict[str, list[str]]:
    """Return sentence, as the file names it -> collected questions that it answers."""
    pages = {section.title: split_sentences(section) for section in load_sections(language)}
    answered: dict[str, list[str]] = {}
    for question in (one for one in read_questions(language) if one.page != UNANSWERED):
        for sentence in pages[question.page]:
            if question.told in sentence.text or sentence.text in question.told:
                known = answered.setdefault(likeness.key_of_sentence(sentence.text), [])
                known += [] if question.text in known else [question.text]
    return answered


def liken_to_others(question: str, other: str, language: str) -> float:
    """Return how alike two questions are, but 0 for a question and itself: it is fitted as one nobody put before."""
    return 0.0 if question == other else LIKENESS(question, other, language)


def read_cases() -> tuple[list[str], list[Case]]:
    """Return the names of the features, and the collected questions that a passage answers."""
    names: list[str] = []
    cases = []
    for language in ("en", "ru"):
        pages = {section.title: section for section in load_sections(language)}
        for question in (one for one in read_questions(language) if one.page != UNANSWERED):
            section = pages[question.page]
            is_shown = question.before == question.page
            found = derive_sentence_features(question.text, section, language, is_shown=is_shown)
            right = np.array([question.told in one.text or one.text in question.told for one in found])
            if not right.any():
                continue
            names = list(next(iter(found.values())))
            kind = f"{language} {'then' if question.before else 'first'}"
            features = np.array([[*row.values()] for row in found.values()])
            cases.append(Case(kind, zlib.crc32(question.page.encode()) % FOLDS, features, right))
    return names, cases


def fit(cases: list[Case]) -> np.ndarray:
    """Return the weights that make the right passages likely."""

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = PENALTY * weights @ weights, 2 * PENALTY * weights
        for case in cases:
            score = case.features @ weights
            likely = np.exp(score - score.max())
            likely /= likely.sum()
            right = likely * case.right
            value -= np.log(right.sum()) / len(cases)
            slope = slope + case.features.T @ (likely - right / right.sum()) / len(cases)
        return value, slope

    fitted: np.ndarray = minimize(loss, np.zeros(cases[0].features.shape[1]), jac=True, method="L-BFGS-B").x
    return fitted


if __name__ == "__main__":
    main()
