"""The loop of a batch: which row is asked next, and what becomes of the answers.

It runs in the thread that iterates it, and it alone owns the journal, the gate, the budget and the retries. Workers
only send requests. Rows are read as they are needed, so a table without an end is no problem.
"""

from __future__ import annotations

import contextlib
import functools
import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue

from ..conversation.context_window import estimate_prompt_tokens
from ..errors import LockbotsError, ProviderError, UsageError
from ..language import N_, _
from ..prompt.part import PromptPart
from ..providers.http.retry import RetryPlan
from .answer_store import AnswerStore
from .breaker import CircuitBreaker
from .budget import BudgetGuard
from .counts import BatchCounts
from .gate import RateGate
from .keys import RowKeys
from .retries import RowRetries
from .row import BatchRow, RowOutcome, describe_error, outcome_of_answer
from .rows import SourceRow
from .settings import BatchSettings
from .task import RowTask
from .template import RowTemplate
from .usage import BatchUsage
from .worker import RowAnswer, RowRequest, send_request

SHOWN_PROMPTS = 3
"""Prompts that a dry run shows."""
TICK = 0.25
"""Longest wait (s) without a look at the clock."""
WINDOW = 2
"""Rows that are read but not reported, for each request that may be under way."""
STOPPED_BY_USER = N_("you stopped the batch.")


class BatchEngine:
    """Asks about rows. Iterate it for each row as it is answered.

    Args:
        settings: How the batch is to run.
        rows: Rows to ask about.
        template: Makes the prompt of a row.
        usage: Counts what the batch takes.
        on_tick: Called at least every `TICK` (s) while the batch waits.
    """

    discount = 1.0
    """Share of the price that is charged."""

    def __init__(
        self,
        settings: BatchSettings,
        rows: Iterator[SourceRow],
        template: RowTemplate,
        usage: BatchUsage,
        on_tick: Callable[[], object] = lambda: None,
    ) -> None:
        self.stopped = ""
        """Why the batch ended before its last row; empty if it did not."""
        self.notes: list[str] = []
        """What the user should know of the prompts, each once."""
        self._settings = settings
        self._rows = rows
        self._template = template
        self._usage = usage
        self._on_tick = on_tick
        self._gate = RateGate(settings.active, settings.rpm, settings.tpm)
        self._budget = BudgetGuard(
            settings.budget,
            settings.provider.name,
            settings.model,
            settings.prices,
            settings.params,
            discount=self.discount,
        )
        self._counts_tokens = settings.budget is not None or settings.tpm is not None
        self._breaker = CircuitBreaker()
        self._store = AnswerStore(settings)
        self._keys = RowKeys(settings.identity)
        self._own_executor: ThreadPoolExecutor | None = None
        self._tasks: dict[str, RowTask] = {}
        self._ready: deque[RowTask] = deque()
        self._retries = RowRetries(
            self._gate, getattr(settings.provider, "max_retries", 0), getattr(settings.provider, "backoff", 0.5)
        )
        self._under_way: dict[str, tuple[RowTask, Future[RowAnswer]]] = {}
        self._done: SimpleQueue[str] = SimpleQueue()
        self._reports: deque[BatchRow] = deque()
        self._unreported = 0
        self._exhausted = False
        self._answered = 0

    def __iter__(self) -> Iterator[BatchRow]:
        """Yield each row once it is answered, in any order."""
        self._store.note_tools()
        self._check_store()
        try:
            yield from self._run()
        except KeyboardInterrupt:
            self.stop(_(STOPPED_BY_USER), cancel=True)
        yield from self._finish()

    def _run(self) -> Iterator[BatchRow]:
        while True:
            pause = self._start_requests()
            if self._reports:
                yield from self._reported()
            elif self._under_way or (self._has_more() and not self.stopped):
                self._wait(TICK if pause is None and not self._under_way else pause)
            else:
                return

    def _reported(self) -> Iterator[BatchRow]:
        while self._reports:
            self._unreported -= 1
            yield self._reports.popleft()

    def count(self) -> BatchCounts:
        """Read all rows without a request, and return what would become of them."""
        counts = BatchCounts()
        for row in self._rows:
            counts.rows += 1
            task = self._read_row(row)
            if task is not None:
                counts.asked += 1
                counts.prompt_tokens += estimate_prompt_tokens(task.prepared.request.messages)
                if len(counts.prompts) < SHOWN_PROMPTS:
                    counts.prompts.append(task.prepared.request.messages[-1].content)
        failed = [row.error for row in self._reports if row.error]
        counts.failed, counts.first_error = len(failed), next(iter(failed), "")
        counts.reused = counts.rows - counts.asked - counts.failed
        counts.reply_tokens = counts.asked * self._budget.reply_tokens
        counts.cost = self._budget.cost_of_tokens(counts.prompt_tokens, counts.reply_tokens)
        return counts

    def stop(self, why: str, *, cancel: bool = False) -> None:
        """Ask about no further row.

        Args:
            why: Sentence for the user.
            cancel: True ends the requests that are under way at once.
        """
        self.stopped = self.stopped or why
        if not cancel:
            return
        for task, future in self._under_way.values():
            future.cancel()
            task.prepared.request.cancellation.cancel()

    def interrupt(self) -> None:
        """End the batch: the user wants no more of it."""
        self.stop(_(STOPPED_BY_USER), cancel=True)

    def _finish(self) -> Iterator[BatchRow]:
        """Yield the rows that are answered but not reported, and those that wait: they were not asked."""
        self._take_all()
        yield from self._reported()
        for task in self._tasks.values():
            yield from (self.not_asked(row) for row in task.rows)
        self._tasks.clear()

    def close(self) -> None:
        """Give back threads and files. Requests that are still under way are abandoned."""
        if self._own_executor is not None:
            self.stop(_(STOPPED_BY_USER), cancel=True)  # nothing is under way unless nobody wants the rest
            self._own_executor.shutdown(wait=False, cancel_futures=True)
        self._store.close()

    def not_asked(self, row: SourceRow) -> BatchRow:
        """Return what becomes of a row that was never sent."""
        return BatchRow(
            row.index, None, _("Not asked: {reason}", reason=self.stopped or _(STOPPED_BY_USER)), False, row.position
        )

    # What to ask

    def _has_more(self) -> bool:
        return bool(self._ready or self._retries or self._tasks) or not self._exhausted

    def _start_requests(self) -> float | None:
        """Start all requests that may start; return the time (s) to wait, None until an answer comes."""
        pause = None
        while not self.stopped and len(self._under_way) < self._gate.active:
            task = self._next_task()
            if task is None:
                break
            pause = self._try_start(task)
            if pause is not None:
                self._ready.appendleft(task)
                break
        if self._retries and not self.stopped:
            until = self._retries.pause()
            pause = until if pause is None else min(pause, until)
        return pause

    def _next_task(self) -> RowTask | None:
        if task := self._retries.take():
            return task
        if self._ready:
            return self._ready.popleft()
        while not self._exhausted and self._unreported < WINDOW * self._settings.active:
            row = self._next_row()
            if row is not None and (task := self._read_row(row)):
                return task
        return None

    def _next_row(self) -> SourceRow | None:
        try:
            row = next(self._rows, None)
        except Exception as error:  # noqa: BLE001  # the caller's iterable may raise anything; what there is stays
            self.stop(_("reading the rows failed: {error}", error=describe_error(error)))
            row = None
        self._exhausted = row is None
        return row

    def _read_row(self, row: SourceRow) -> RowTask | None:
        """Return the task of a row that is to be asked; report it or let it wait otherwise."""
        self._usage.rows += 1
        self._unreported += 1
        try:
            part = self._template.fill(row.columns)
        except UsageError as error:
            self._report(row, RowOutcome(None, describe_error(error)))
            return None
        if part.notes:
            self.notes += [note for note in part.notes if note not in self.notes]
        key = self._keys.of(part)
        if known := self._store.find(key):
            self._report(row, known, reused=True)
            return None
        if waiting := self._tasks.get(key):
            waiting.rows.append(row)
            return None
        return self._make_task(key, part, row)

    def _make_task(self, key: str, part: PromptPart, row: SourceRow) -> RowTask | None:
        try:
            prepared = self._settings.requests.make(part, key)
        except (UsageError, ProviderError) as error:
            self._report(row, RowOutcome(None, describe_error(error)))
            return None
        provider = self._settings.provider
        deadline = time.monotonic() + getattr(provider, "total_timeout", math.inf)
        plan = RetryPlan(getattr(provider, "max_retries", 0), getattr(provider, "backoff", 0.5), deadline)
        task = RowTask(key, prepared, [row], plan)
        if self._counts_tokens:
            task.prompt_tokens = estimate_prompt_tokens(prepared.request.messages)
        self._tasks[key] = task
        return task

    def _try_start(self, task: RowTask) -> float | None:
        """Start a request; return the time (s) to wait if it may not start yet, which is `TICK` for the budget."""
        if self._counts_tokens:
            task.tokens = task.prompt_tokens + self._budget.reply_tokens
            task.cost = self._budget.estimate(task.prompt_tokens)
        if not self._budget.allows(task.cost):
            if not self._under_way:
                self.stop(
                    _(
                        "the budget of {budget} is used up. To go on, raise it and run again.",
                        budget=self._settings.budget,
                    )
                )
            return TICK
        if pause := self._gate.start(task.tokens):
            return pause
        self._budget.begin(task.cost)
        self._submit(task)
        return None

    def _submit(self, task: RowTask) -> None:
        task.attempts += 1
        task.started = time.monotonic()
        task.answers_before = self._answered
        if task.attempts == 1:
            self._usage.asked += 1
        try:
            future = self._executor().submit(send_request, RowRequest(task.prepared, task.attempts))
        except Exception as error:  # noqa: BLE001  # an executor that is shut down or broken
            self._budget.end(task.cost, (0, 0), 0.0)
            self._end_task(task, RowOutcome(None, describe_error(error)))
            self.stop(_("the executor takes no work: {error}", error=describe_error(error)))
            return
        self._under_way[task.key] = (task, future)
        future.add_done_callback(functools.partial(_announce, self._done, task.key))

    def _executor(self) -> Executor:
        if self._settings.executor is not None:
            return self._settings.executor
        if self._own_executor is None:
            self._own_executor = ThreadPoolExecutor(self._settings.active, thread_name_prefix="lockbots batch")
        return self._own_executor

    # What becomes of the answers

    def _wait(self, pause: float | None) -> None:
        """Wait until a request has ended or the next may start, and take all that have."""
        end = math.inf if pause is None else time.monotonic() + pause
        while True:
            left = min(end - time.monotonic(), TICK)
            try:
                self._take(self._done.get(timeout=max(left, 0.0)))
                self._take_all()
                return
            except Empty:
                self._on_tick()
                if time.monotonic() >= end:
                    return

    def _take_all(self) -> None:
        """Take the answers of all requests that have ended by now."""
        with contextlib.suppress(Empty):
            while True:
                self._take(self._done.get_nowait())
        self._keep()

    def _take(self, key: str) -> None:
        """Take the answer of a request that has ended."""
        task, future = self._under_way.pop(key)
        if future.cancelled():
            self._budget.end(task.cost, (0, 0), 0.0)
            return
        failure = future.exception()
        self._settle(task, RowAnswer(None, UsageError(describe_error(failure))) if failure else future.result())

    def _settle(self, task: RowTask, answer: RowAnswer, *, may_retry: bool = True) -> None:
        """Count an answer, and report its row, keep it, or plan the next attempt."""
        outcome = outcome_of_answer(answer, self._settings.schema, self._budget.cost_of)
        self._budget.end(task.cost, (outcome.prompt_tokens, outcome.reply_tokens), outcome.cost)
        self._gate.settle(task.tokens, outcome.tokens)
        self._usage.add(outcome)
        if answer.error is None:
            self._accept(task, answer, outcome)
        elif not (may_retry and self._try_again(task, answer.error)):
            self._end_task(task, outcome)
            if why := self._breaker.fail(answer.error):
                self.stop(why)

    def _accept(self, task: RowTask, answer: RowAnswer, outcome: RowOutcome) -> None:
        turn = answer.turn
        if turn is not None and turn.status == "interrupted":
            return  # it was cancelled: `_finish` reports it
        self._answered += 1
        self._gate.succeed()
        self._breaker.succeed()
        if outcome.error or turn is None:
            self._end_task(task, outcome)
        else:
            self._store.add(task, turn, outcome)

    def _keep(self) -> None:
        """Put the answers that have come on the journal, and only then report their rows."""
        kept = self._store.flush()
        self._check_store()
        for task, outcome in kept:
            self._end_task(task, outcome)

    def _check_store(self) -> None:
        if self._store.failure:
            self.stop(self._store.failure)

    def _end_task(self, task: RowTask, outcome: RowOutcome) -> None:
        self._tasks.pop(task.key, None)
        for number, row in enumerate(task.rows):
            self._report(row, outcome, reused=number > 0 and not outcome.error)

    def _report(self, row: SourceRow, outcome: RowOutcome, *, reused: bool = False) -> None:
        self._usage.reused += reused
        self._reports.append(BatchRow(row.index, outcome.value, outcome.error, reused, row.position))

    def _try_again(self, task: RowTask, error: LockbotsError) -> bool:
        """Plan the next attempt at a row; return False if there is none."""
        if self.stopped:
            return False
        planned = self._retries.plan(task, error, self._answered)
        if self._retries.stop:
            self.stop(self._retries.stop)
        return planned


def _announce(done: SimpleQueue[str], key: str, _: Future[RowAnswer]) -> None:
    done.put(key)
