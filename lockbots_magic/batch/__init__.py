"""A prompt for each row of a table: journal, rate gate, budget and executors.

`run` checks a batch before its first request; `engine` is its loop; `batch` holds the result, `answer_store` the
answers on the journal. `rows` and `template` make the prompts, `keys` tells them apart, `worker` sends one request
anywhere, `row` reads its answer. `gate`, `budget`, `breaker` and `retries` decide whether and when a request may
start; they do no I/O.
"""

from .executors import RayExecutor

__all__ = ["RayExecutor"]
