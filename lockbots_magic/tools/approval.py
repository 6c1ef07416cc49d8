"""Approval: a policy decides whether a call is made, refused, or asked about first.

A policy is ``"auto"``, ``"ask"``, ``"never"``, a dict of globs of tool names to these, or a function of the call. What
it leaves open is up to the tool: functions that were named one by one are called, all else is asked about.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from fnmatch import fnmatchcase
from typing import Any, Literal

from ..conversation.call_text import parse_arguments
from ..conversation.messages import ToolCall
from ..errors import UsageError
from ..language import _
from ..late_dataclass import late_dataclass

MODES = ("auto", "ask", "never")
MAX_REASON = 2000
"""Length (characters) to which a reason is cut before it is sent to the model."""

REFUSED = "refused: The user did not approve this call."
NEVER = "refused: The user's policy does not allow this tool."
NOBODY = "refused: This call needs approval, and nobody is there to ask."


@late_dataclass(frozen=True)
class ProposedCall:
    """A call that the model asks for and that is not made yet, as a policy gets it.

    A policy that is a function may return a changed copy, to be called in its place:
    ``dataclasses.replace(call, arguments={"path": "a.txt"})``.
    """

    name: str
    """Name of the tool, as the model knows it."""
    arguments: dict[str, Any]
    """Arguments by name. They come from the model, and are not checked yet."""
    source: str = ""
    """Who offers the tool; empty for a function."""
    description: str = ""
    """Description of the tool. Of a server's tool, it is the server's word."""
    is_changed: bool = False
    """True if the source describes the tool otherwise than earlier in this session."""

    def __str__(self) -> str:
        return str(ToolCall("", self.name, json.dumps(self.arguments, ensure_ascii=False)))


Approve = str | Mapping[str, Any] | Callable[[Any], Any] | None
"""A policy: see `Approval`."""


@late_dataclass(frozen=True)
class ApprovalAnswer:
    """What the user answered."""

    choice: Literal["yes", "session", "no"]
    """This call; this tool for all of the session; no."""
    reason: str = ""
    """Why not, for the model."""


AsksUser = Callable[[ProposedCall], ApprovalAnswer | None]
"""Asks the user about one call, in the thread of the reply; returns None if nobody is there. It raises
`KeyboardInterrupt` or `Cancelled` if the user stopped the reply instead."""


def nobody(_unused: ProposedCall) -> ApprovalAnswer | None:
    """Ask nobody."""
    return None


@late_dataclass(frozen=True)
class ApprovedTool:
    """What an approval holds for: a tool as it was described."""

    source: str
    """Key of the source, which no other source has; empty for a function."""
    name: str
    fingerprint: str


@late_dataclass
class ApprovalMemory:
    """What was approved in a session, and how the tools of sources were described when they were first seen."""

    approved: set[ApprovedTool] = field(default_factory=set)
    """Tools that the user approved for all of the session."""
    first_seen: dict[tuple[str, str], str] = field(default_factory=dict)
    """Source and tool -> fingerprint."""

    def is_changed(self, tool: ApprovedTool) -> bool:
        """Return whether a source describes a tool otherwise than when it was first seen, or last approved."""
        return bool(tool.source) and self.first_seen.setdefault((tool.source, tool.name), tool.fingerprint) != (
            tool.fingerprint
        )

    def accept(self, tool: ApprovedTool, *, for_session: bool) -> None:
        """Keep that the user approved a call of this tool, as it is described now."""
        self.first_seen[tool.source, tool.name] = tool.fingerprint
        if for_session:
            self.approved.add(tool)


@late_dataclass(frozen=True)
class Decision:
    """Whether a call is made."""

    approved_by: str = ""
    """Who approved it, as in `ToolCall.approved_by`; empty if nobody did."""
    refusal: str = ""
    """What the model is told in place of a result."""
    call: ProposedCall | None = None
    """Call to make instead, if the policy changed it."""


class Approval:
    """Decides about the calls of a reply.

    Args:
        policy: ``"auto"`` makes every call, ``"ask"`` asks about every one, ``"never"`` refuses them. A dict maps globs
            of names to these, or to True and False; the first match wins. A function gets a `ProposedCall` and returns
            True, False, a text (no, and the text is the reason for the model) or a changed call. None leaves it to the
            tools.
        ask: Asks the user.
        memory: What was approved earlier in the session.

    Raises:
        UsageError: If the policy is something else.

    Example:
        >>> approval = Approval({"read_*": "auto", "*": "never"})
        >>> approval.decide(ProposedCall("rm", {"path": "/"}), ApprovedTool("", "rm", ""), "auto").refusal
        "refused: The user's policy does not allow this tool."
    """

    def __init__(self, policy: Approve = None, ask: AsksUser = nobody, memory: ApprovalMemory | None = None) -> None:
        check_policy(policy)
        self.policy = policy
        self.ask = ask
        self.memory = ApprovalMemory() if memory is None else memory

    def __repr__(self) -> str:
        return f"Approval({describe_policy(self.policy)})"

    def decide(self, call: ProposedCall, tool: ApprovedTool, default: str) -> Decision:
        """Decide about one call.

        Args:
            call: The call.
            tool: Its tool, as it is described now.
            default: What happens if the policy names no such tool: ``"auto"`` or ``"ask"``.

        Raises:
            UsageError: If a function of the policy failed, or returned something else; no call is made then.
            KeyboardInterrupt, Cancelled: If the user stopped the reply while it was asked.
        """
        call = replace(call, is_changed=self.memory.is_changed(tool))
        mode = _mode_for(self.policy, call)
        if callable(mode):
            return _ask_function(mode, call)
        by = "default" if mode is None else "policy"
        mode = mode or default
        if mode == "auto":
            return Decision(by)
        if mode == "never":
            return Decision(refusal=NEVER)
        return Decision("session") if tool in self.memory.approved else self._ask_user(call, tool)

    def describe_mode(self, call: ProposedCall, tool: ApprovedTool, default: str) -> str:
        """Return what happens to calls of a tool: a mode, or the name of the function that decides."""
        mode = _mode_for(self.policy, call) or default
        if callable(mode):
            return describe_policy(mode)
        return "approved" if mode == "ask" and tool in self.memory.approved else str(mode)

    def _ask_user(self, call: ProposedCall, tool: ApprovedTool) -> Decision:
        answer = self.ask(call)
        if answer is None:
            return Decision(refusal=NOBODY)
        if answer.choice == "no":
            return Decision(refusal=_with_reason(answer.reason))
        self.memory.accept(tool, for_session=answer.choice == "session")
        return Decision("user")


def check_policy(policy: Any) -> None:
    """Raise `UsageError` unless `policy` is one, see `Approval`."""
    if policy is None or callable(policy) or (isinstance(policy, str) and policy in MODES):
        return
    if isinstance(policy, Mapping):
        for glob, mode in policy.items():
            if not isinstance(glob, str):
                raise UsageError(_("approve maps names of tools to modes, got {glob!r:.40} as a name.", glob=glob))
            if not (callable(mode) or isinstance(mode, bool) or (isinstance(mode, str) and mode in MODES)):
                raise UsageError(
                    _(
                        "approve[{glob!r:.40}] must be one of {names}, got {mode!r:.40}.",
                        glob=glob,
                        names=", ".join(MODES),
                        mode=mode,
                    )
                )
        return
    raise UsageError(
        _(
            "approve must be one of {names}, a dict such as {{'search_*': 'auto'}}, or a function, got {policy!r:.40}.",
            names=", ".join(MODES),
            policy=policy,
        )
    )


def describe_policy(policy: Approve) -> str:
    """Return a policy on one line."""
    if policy is None:
        return "default"
    if isinstance(policy, Mapping):
        return ", ".join(f"{glob}={describe_policy(_as_mode(mode))}" for glob, mode in policy.items())
    return policy if isinstance(policy, str) else f"{getattr(policy, '__name__', type(policy).__name__)}()"


def _mode_for(policy: Approve, call: ProposedCall) -> Any:
    """Return the mode or function that a policy has for a call; None if it has none."""
    if not isinstance(policy, Mapping):
        return policy
    names = [call.name, *([f"{call.source}_{call.name}"] if call.source else [])]
    return next(
        (_as_mode(mode) for glob, mode in policy.items() if any(fnmatchcase(name, glob) for name in names)), None
    )


def _as_mode(mode: Any) -> Any:
    return {True: "auto", False: "never"}[mode] if isinstance(mode, bool) else mode


def _ask_function(function: Callable[[Any], Any], call: ProposedCall) -> Decision:
    name = getattr(function, "__name__", type(function).__name__)
    try:
        given = function(replace(call, arguments=json.loads(json.dumps(call.arguments))))  # a copy, which it may change
    except Exception as error:
        raise UsageError(
            _(
                "approve: {name} failed for {tool}: {kind}: {error}",
                name=name,
                tool=call.name,
                kind=type(error).__name__,
                error=error,
            )
        ) from error
    if isinstance(given, bool):
        return Decision("policy") if given else Decision(refusal=REFUSED)
    if isinstance(given, str):
        return Decision(refusal=_with_reason(given))
    changed = getattr(given, "name", None), getattr(given, "arguments", None)
    if isinstance(changed[0], str) and isinstance(changed[1], Mapping):
        return Decision("policy", call=replace(call, name=changed[0], arguments=dict(changed[1])))
    raise UsageError(
        _("approve: {name} must return True, False, a text or a call, got {given!r:.40}.", name=name, given=given)
    )


def _with_reason(reason: str) -> str:
    reason = reason.strip()[:MAX_REASON]
    return f"{REFUSED} {reason}" if reason else REFUSED


def proposed(call: ToolCall, *, source: str = "", description: str = "") -> ProposedCall | None:
    """Return a call as a policy gets it; None if its arguments are not a JSON object, so that it can't be made."""
    given = parse_arguments(call.arguments.strip())
    return None if given is None else ProposedCall(call.name, dict(given), source, description)
