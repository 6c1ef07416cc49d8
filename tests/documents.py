"""A reply with every construct of Markdown."""

DOCUMENT = """# Title

Text **bold** and `code`, a [link](https://host.example/a?b=1&c=2) and $a_1 * b_2 * c$.

- one
- two

  still two

| a | b |
|---|--:|
| 1 | $\\alpha_{1}$ |

```python
def f(x):
    return "<b>"
```

> quoted

1. first
2. second

The end [later].

- [ ] to do
- [x] done

A note[^1], and [^2].

[^1]: What it says

$$
a
- b
$$

\\begin{align}
x &= 1
\\end{align}

| left | right |
|:-----|------:|
| **1** | `2` |

שלום world, **привет** 世界 😀

[later]: https://later.example
"""
