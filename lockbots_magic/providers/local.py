"""Models of one's own: llama.cpp computes the replies in a process beside the kernel, and no server is needed.

Wire facts: llama.cpp, "tools/server/README.md": its server speaks chat completions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType
from typing import Any, ClassVar

from ..conversation.cancellation import Cancellation
from ..conversation.messages import ChatRequest, Delta, ModelInfo
from ..errors import ConnectionFailed, ModelNotFoundError
from ..security.secrets import Secret
from .address import join_path
from .dialects import CHAT_COMPLETIONS
from .http import HTTPRequest
from .model_files import find_model_file, find_model_files, read_context_length
from .model_process import ModelProcess, ModelSettings, default_threads, model_process, running_processes
from .openai_compatible import OpenAICompatible
from .parameters import LOCAL_PARAMETERS
from .validation import parse_count
from .wire.model_list import ModelList
from .wire.reasoning_effort import EffortStyle

MAX_DEFAULT_CONTEXT = 16_384
"""Context window (tokens) by default, if the model has a larger one: its memory is taken at once."""
UNKNOWN_CONTEXT = 4_096
"""Context window (tokens) of a file that doesn't say what its model was trained with."""


class Local(OpenAICompatible):
    """`local:PATH.gguf`, `local:NAME` of a file that is found, or `local` for the first of these.

    The first question starts the process, and it ends with the kernel. Context length and chat template come from the
    file. With a base URL it is a server that is there already.

    Args:
        context: Context window (tokens); by default that of the model, at most `MAX_DEFAULT_CONTEXT`.
        threads: Threads that compute; by default one for each processor, at most `model_process.MAX_THREADS`.
        **settings: As for `Provider`.

    Raises:
        UsageError: An argument is invalid.
    """

    name = "local"
    url = ""
    reports_usage: ClassVar[bool] = True
    takes_images = False
    lists_models: ClassVar[bool] = False
    effort_style: ClassVar[EffortStyle] = "template"
    is_local: ClassVar[bool] = True
    dialects: ClassVar[tuple[str, ...]] = (CHAT_COMPLETIONS,)
    parameters: ClassVar[Mapping[str, str]] = MappingProxyType({**OpenAICompatible.parameters, **LOCAL_PARAMETERS})

    def __init__(self, *, context: int | None = None, threads: int | None = None, **settings: Any) -> None:
        super().__init__(**settings)
        self.context = None if context is None else max(parse_count("context", context), 1)
        self.threads = default_threads() if threads is None else max(parse_count("threads", threads), 1)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Credentials that requests carry."""
        return (*super().secrets, *(one.key for one in running_processes()))

    def model_info(self, model: str) -> ModelInfo:
        """Return the model with its context window, as far as its file is there."""
        if self.base_url:
            return super().model_info(model)
        with suppress(ModelNotFoundError):
            return ModelInfo(model, token_limit=self._settings_for(model).context)
        return ModelInfo(model)

    def resolved(self, model: str, cancellation: Cancellation) -> ModelInfo:
        """Return the model to ask; by default the first that is found.

        Raises:
            ModelNotFoundError: There is no such file; the message says how to get one.
        """
        if self.base_url:
            return super().resolved(model, cancellation)
        name = find_model_file(model).name
        return ModelInfo(name, token_limit=self._settings_for(model).context)

    def model_list(self) -> ModelList:
        """Return the model files that are found on this machine."""
        if self.base_url:
            return super().model_list()
        return ModelList(tuple(self.model_info(one.name) for one in find_model_files()))

    @classmethod
    def known_models(cls) -> Iterator[str]:
        """Return the names of the model files that are found on this machine."""
        return (one.name for one in find_model_files())

    def list_models(self) -> list[ModelInfo]:
        """Return the model files that are found on this machine."""
        return list(self.model_list().models)

    def attempt(self, request: ChatRequest, model: ModelInfo, deadline: float) -> Iterator[Delta]:
        """Start the process if need be, send the request and yield the reply."""
        if self.base_url:
            yield from super().attempt(request, model, deadline)
            return
        process = self._process_for(model)
        process.wait_until_ready(request.cancellation, deadline)
        try:
            yield from super().attempt(request, model, deadline)
        except ConnectionFailed:
            if ended := process.end_error():
                raise ended from None
            raise

    def build_request(self, request: ChatRequest, model: ModelInfo) -> HTTPRequest:
        """Return the HTTP request for `request`, to the process of the model."""
        built = super().build_request(request, model)
        if self.base_url:
            return built
        process = self._process_for(model)
        return replace(
            built,
            url=join_path(process.url, self.dialect.path),
            secret_headers=self.dialect.auth_headers(process.key),
            base_url=process.url,
        )

    def _process_for(self, model: ModelInfo) -> ModelProcess:
        return model_process(self._settings_for(model.id))

    def _settings_for(self, model: str) -> ModelSettings:
        path = find_model_file(model).path
        trained = read_context_length(path)
        context = self.context or min(trained or UNKNOWN_CONTEXT, MAX_DEFAULT_CONTEXT)
        return ModelSettings(path, context, self.threads)
