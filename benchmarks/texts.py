"""Replies for the benchmarks of the page: a typical document, and single blocks that grow without end."""

from __future__ import annotations

import itertools
import re

END = "Finished"
"""The last word of every reply of this module; nothing else in it contains it."""

OPENING = "Here is all of it, one item after the other.\n\n"
SECTION = """\
## Section {n}

Take the damped oscillator of item {n}, whose displacement $x_{{{n}}}(t)$ obeys a *linear* equation of second order. The
rate at which it loses energy is **proportional** to $\\dot{{x}}^2$, so that, as the [notes](https://example.org/{n})
say, `gamma_{n}` alone decides how long it rings:

$$
x_{{{n}}}(t) = A \\, e^{{-\\gamma t / 2}} \\cos\\left(
  \\sqrt{{\\omega_0^2 - \\frac{{\\gamma^2}}{{4}}}} \\; t + \\varphi_{{{n}}}
\\right)
$$

1. **Weak damping**: it swings on for about ${n} \\, \\omega_0 / \\gamma$ periods, and the frequency hardly changes
2. **Critical damping**: it returns to rest as fast as it can, without ever passing it
3. **Strong damping**: it creeps back, slower the more it is damped

None of this depends on where it was released: the equation is linear, and a displacement twice as large stays twice as
large at all times. What does depend on it is the energy, which goes with its square, and so fades twice as fast as what
is seen of it. In code, with a step that is small against both of the times:

```python
def oscillate_{n}(omega: float, gamma: float, steps: int = {n}00) -> list[float]:
    \"\"\"Return the displacements of an oscillator released at 1, by a symplectic step.\"\"\"
    step = 2 * math.pi / omega / 200
    position, velocity = 1.0, 0.0
    found = []
    for _ in range(steps):
        force = -(omega**2) * position - gamma * velocity  # per unit of mass
        velocity += force * step
        position += velocity * step
        found.append(position)
    return found


if __name__ == "__main__":
    print(f"after item {n}: {{oscillate_{n}(2.0, 0.1)[-1]:.4f}}")
```

| damping | periods until it has faded | remark |
|:--------|---------------------------:|--------|
| 0.05 | {n}0 | rings |
| 0.50 | {n} | fades |
| 2.00 | 0 | creeps |

- the first column is in units of the frequency, the second counts until a hundredth is left
- what the third says is *meant for the eye*, so do not measure by it

"""
"""About 2,000 characters, a third of them code, with four formulas."""

SENTENCE = "Sentence {n} of it goes on about *this* and `that_{n}` without ever coming to an end, as some of them do. "
BLOCKS = {
    "fence": (
        "```python\n",
        '    parts[{n}] = transform(parts[{n}], "label {n}", scale=0.25)  # step {n}\n',
        "```\n\n",
    ),
    "paragraph": ("", SENTENCE, ""),
    "table": ("| name | value | remark |\n|---|---:|---|\n", "| row {n:04} | 0.{n:04} | *remark* {n:06} |\n", "\n"),
    "items": ("", "- item {n:04}: `code_{n:04}`, **and words**\n", "\n"),
    "quote": ("", "> " + SENTENCE + "\n>\n", "\n"),
}
"""Beginning of the block, repeated middle, and end. A row and an item are 40 characters, ten tokens."""
KINDS = ("document", *BLOCKS)

SIZES = (1, 4, 7, 3, 5, 4, 2, 6)
"""Characters of the tokens, repeated."""
PER_TOKEN = sum(SIZES) // len(SIZES)


def tokens(count: int, kind: str) -> list[str]:
    """A reply of one of the `KINDS` in `count` tokens of four characters on average."""
    source = text(count * PER_TOKEN, kind)
    starts = [0, *itertools.islice(itertools.accumulate(itertools.cycle(SIZES)), count - 1)]
    return [source[i:j] for i, j in itertools.pairwise([*starts, len(source)])]


def text(size: int, kind: str) -> str:
    """A reply of `size` characters; a document consists of whole sections, whatever is short made up for in words."""
    start, unit, end = BLOCKS.get(kind, (OPENING, SECTION, ""))
    left = size - len(start) - len(end) - len(END)
    pieces: list[str] = []
    for piece in (unit.format(n=n) for n in itertools.count(1)):
        if len(piece) > left:
            break
        pieces.append(piece)
        left -= len(piece)
    return "".join((start, *pieces, end, ("and " * left)[::-1][:left][::-1], END))


def formulas(markdown: str) -> int:
    """Return the number of formulas in a reply."""
    return len(re.findall(r"\$\$.+?\$\$|\$[^$\n]+\$", markdown, re.DOTALL))
