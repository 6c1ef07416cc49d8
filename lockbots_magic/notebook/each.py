"""`%%chat --each`: a prompt for each row of a table."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import Any

from ..batch.batch import Batch
from ..batch.preview import describe_batch
from ..batch.run import BatchPlan
from ..batch.template import Filter, send_all
from ..errors import UsageError
from ..language import _
from ..security.exits import clean_printed
from .batch_output import batch_output
from .chat_command import ONLY_EACH, check_answers_json, check_target, params_of, system_of, tools_of
from .display import show_text
from .notebook_context import NotebookContext
from .prompt_material import evaluate_option
from .secret_filter import make_prompt_filter
from .session import Session
from .tool_options import parse_approve, parse_limits

_EXCLUDED = {
    "form": "--as",
    "cells": "--cells",
    "background": "--background",
    "count": "--count",
}
"""Options that have no meaning for rows: attribute -> option."""


def batch_plan(session: Session, options: Namespace, prompt: str, context: NotebookContext) -> BatchPlan:
    """Return the batch that the options and the prompt describe.

    Raises:
        UsageError: An option is invalid, or what it names doesn't exist; nothing was sent.
    """
    check_target(options)
    for name, option in _EXCLUDED.items():
        if getattr(options, name) and not (name == "form" and options.form == "json"):
            raise UsageError(_("--each can't be combined with {option}.", option=option))
    chat = session.chat(options.model, options.base_url, options.conversation, options.dialect, options.send_documents)
    if options.schema and not options.dry_run:
        check_answers_json(chat)
    chat.params.update(params_of(options))
    chat.log = not options.no_log
    keep: Filter = send_all
    if not (options.raw or session.settings.send_secrets):
        keep = make_prompt_filter(context.variables)
    rows = evaluate_option(session, context, "--each", options.each)
    given: dict[str, Any] = {
        name: value for name in ONLY_EACH if (value := getattr(options, name)) is not None and name != "budget"
    }
    return BatchPlan(
        chat,
        prompt,
        rows,
        schema=evaluate_option(session, context, "--schema", options.schema) if options.schema else None,
        budget=_number(options.budget),
        prices=session.settings.prices,
        images=options.image,
        files=options.file,
        variables=context.as_typed(),
        raw=options.raw,
        prompt_filter=keep,
        system=system_of(session, options.system, chat, context),
        tools=tools_of(options.tools, context),
        approve=None if options.approve is None else parse_approve(options.approve, context.variables),
        limits=None if options.limits is None else parse_limits(options.limits),
        origin=session.cells.origin(watched=context.watched),
        **given,
    )


def run_each(session: Session, options: Namespace, prompt: str, context: NotebookContext) -> None:
    """Send the prompt for each row of a table; show the result, and keep it in the variable of `--to`.

    Raises:
        UsageError: As for `batch_plan`.
    """
    plan = batch_plan(session, options, prompt, context)
    if options.dry_run:
        text = describe_batch(plan)
        if not show_text(context.shell, text):
            sys.stdout.write(f"{clean_printed(text)}\n")
        return
    batch = plan.run(batch_output(context.shell, session.settings.live))
    if options.to:
        context.shell.user_ns[options.to] = result_of(batch)


def result_of(batch: Batch) -> Any:
    """Return what `--to` gets: a data frame, or a list of dicts where pandas is missing."""
    try:
        return batch.frame
    except UsageError:
        return batch.rows


def _number(value: str | None) -> Any:
    """Return a budget as a number, where it is one."""
    try:
        return None if value is None else float(value)
    except ValueError:
        return value
