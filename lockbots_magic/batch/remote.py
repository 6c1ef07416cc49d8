"""The loop of a batch that goes through the batch API of a service: jobs are sent, waited for, and read.

The ids of jobs stand on the journal, so that a later run collects what an earlier one has sent, days after.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from time import monotonic, sleep
from typing import Any

from ..conversation.messages import ChatRequest, Delta
from ..errors import ProviderError, UsageError
from ..language import _
from ..providers.batch_api import MAX_BYTES, MAX_REQUESTS, BatchJob, BatchResult, BatchService, batch_service
from ..providers.http.json_body import encode_json
from .engine import BatchEngine
from .row import BatchRow, RowOutcome, describe_error
from .settings import BatchSettings
from .task import RowTask
from .worker import RowAnswer, RowRequest, send_request

FIRST_POLL = 0.25
"""Pause (s) before a job is looked up first; it doubles each time."""
LONGEST_POLL = 60.0
"""Longest pause (s) between two looks."""
MAX_TOLD = 20
"""Notes on a batch after which no further one on what was sent otherwise is added."""
DISCOUNT = 0.5
"""Share of the price that services charge for batches."""


class RemoteEngine(BatchEngine):
    """Asks about rows through a batch API; arguments as for `BatchEngine`."""

    discount = DISCOUNT

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._service = batch_service(self._settings.provider, self._settings.model)
        self._sent: dict[str, set[str]] = {}
        """Jobs that are not collected: id -> beginnings of keys."""
        self._waiting: list[tuple[RowTask, Mapping[str, Any]]] = []
        """Requests for the next job."""
        self._size = 0
        self._adapted: dict[str, list[str]] = {}
        """Adaptations of requests that the service refused without them: key of the row -> their names."""
        self._refused: list[RowTask] = []

    def _run(self) -> Iterator[BatchRow]:
        self._sent = {job: set(keys) for job, keys in self._open_jobs().items()}
        while not self.stopped and (row := self._next_row()) is not None:
            task = self._read_row(row)
            yield from self._reported()
            if task is not None and not any(task.key[:16] in keys for keys in self._sent.values()):
                self._add(task)
        self._submit_job()
        while self._sent:
            job = next(iter(self._sent))
            yield from self._collect(self._service, job)
            del self._sent[job]
            refused, self._refused = self._refused, []
            for task in refused:
                self._add(task)
            self._submit_job()

    def interrupt(self) -> None:
        """End the batch: what was not sent yet is not sent."""
        super().interrupt()
        self._waiting = []

    def _add(self, task: RowTask) -> None:
        """Put a request into the next job, and send that once it is large enough."""
        if self.stopped:
            return
        try:
            body = self._service.encode(task.prepared.request, self._adapted.get(task.key, ()))
            size = len(encode_json(body))
        except (UsageError, ProviderError) as error:
            self._end_task(task, RowOutcome(None, describe_error(error)))
            return
        if not self._reserve(task):
            return
        self._waiting.append((task, body))
        self._size += size
        if len(self._waiting) >= MAX_REQUESTS or self._size >= MAX_BYTES:
            self._submit_job()

    def _reserve(self, task: RowTask) -> bool:
        if self._counts_tokens:
            task.tokens = task.prompt_tokens + self._budget.reply_tokens
            task.cost = self._budget.estimate(task.prompt_tokens)
        if not self._budget.allows(task.cost):
            self.stop(
                _("the budget of {budget} is used up. To go on, raise it and run again.", budget=self._settings.budget)
            )
            return False
        self._budget.begin(task.cost)
        return True

    def _open_jobs(self) -> dict[str, list[str]]:
        """Return the jobs of earlier runs that have not been collected: id -> beginnings of keys."""
        journal = self._store.journal
        return {} if journal is None else journal.open_jobs()

    def _submit_job(self) -> None:
        waiting, self._waiting, self._size = self._waiting, [], 0
        if not waiting:
            return
        keys = [task.key[:16] for task, _number in waiting]
        try:
            job = self._service.submit([(task.key, body) for task, body in waiting])
        except ProviderError as error:
            for task, _number in waiting:
                self._end_task(task, RowOutcome(None, describe_error(error)))
            self.stop(str(error))
            return
        for task, _number in waiting:
            task.attempts += 1
            self._usage.asked += task.attempts == 1
        self._sent[job.id] = set(keys)
        self._note_job(job.id, keys)

    def _collect(self, service: BatchService, job_id: str) -> Iterator[BatchRow]:
        """Wait for a job, and yield the rows that it answers."""
        pause = FIRST_POLL
        while True:
            try:
                job = service.look_up(job_id)
            except ProviderError as error:
                self.stop(
                    _(
                        "job {job_id} can't be looked up now: {error} Run the batch again to collect it.",
                        job_id=job_id,
                        error=error,
                    )
                )
                return
            if job.ended:
                break
            end = monotonic() + pause
            while monotonic() < end and not self.stopped:
                sleep(min(0.1, max(end - monotonic(), 0.0)))
                self._on_tick()
            if self.stopped:
                self.notes.append(
                    _("job {job_id} goes on at the service; run the batch again to collect it", job_id=job_id)
                )
                return
            pause = min(pause * 2, LONGEST_POLL)
        if job.failure:
            self.stop(_("job {job_id} failed: {failure}", job_id=job_id, failure=job.failure))
        try:
            yield from self._read_results(service, job)
        except ProviderError as error:
            self.stop(
                _(
                    "the results of job {job_id} can't be read now: {error} Run the batch again to collect them.",
                    job_id=job_id,
                    error=error,
                )
            )
            return
        self._note_job(job_id, None)

    def _note_job(self, job_id: str, keys: list[str] | None) -> None:
        """Note on the journal that a job is under way, or (None) that it is collected; it goes on all the same."""
        if self._store.journal is None:
            return
        try:
            self._store.journal.note_job(job_id, keys)
        except (OSError, UsageError) as error:
            self.notes.append(
                _("job {id} can't be noted in {keep}: {error}", id=job_id, keep=self._settings.keep, error=error)
            )

    def _read_results(self, service: BatchService, job: BatchJob) -> Iterator[BatchRow]:
        for result in service.results(job):
            task = self._tasks.get(result.key)
            if task is None:
                continue  # of a row that is not in this table
            if result.error is not None and self._adapt(task, result.error):
                continue
            self._settle(task, self._answer(service, task, result), may_retry=False)
            self._keep()
            yield from self._reported()

    def _adapt(self, task: RowTask, error: ProviderError) -> bool:
        """Plan to send a request again without what the service refuses of the toolkit's own, if that may help."""
        known = self._adapted.get(task.key, [])
        new = self._service.adaptations_after(error, task.prepared.request, known)
        if not new:
            return False
        self._adapted[task.key] = [*known, *new]
        self._budget.end(task.cost, (0, 0), 0.0)
        self._refused.append(task)
        return True

    def _remember(self, task: RowTask) -> None:
        """Remember what helped, and tell it."""
        if task.key in self._adapted:
            told = self._service.remember(task.prepared.request, self._adapted[task.key])
            self.notes += told[: max(MAX_TOLD - len(self.notes), 0)]

    def _answer(self, service: BatchService, task: RowTask, result: BatchResult) -> RowAnswer:
        if result.error is not None:
            return RowAnswer(None, result.error)
        self._remember(task)
        answered = copy.copy(self._settings.requests.sender)
        vars(answered)["stream"] = partial(_replay, service, result.body)
        return send_request(RowRequest(replace(task.prepared, provider=answered), 1))


def _replay(service: BatchService, body: bytes, request: ChatRequest) -> Iterator[Delta]:
    return service.decode(request, body)


def engine_class(settings: BatchSettings) -> type[BatchEngine]:
    """Return the loop that a batch needs."""
    return RemoteEngine if settings.through else BatchEngine
