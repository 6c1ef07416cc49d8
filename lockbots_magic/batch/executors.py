"""Executors of our own. Any `concurrent.futures.Executor` will do: of processes, of Dask, of ipyparallel."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from importlib import import_module
from typing import Any, ParamSpec, TypeVar

from ..errors import UsageError
from ..language import _

P = ParamSpec("P")
T = TypeVar("T")


class RayExecutor(Executor):
    """Runs each call as a task of Ray: ``chat.map(..., executor=RayExecutor(num_cpus=0.1))``.

    A worker takes the credential from its own environment: ``ray.init(runtime_env={"env_vars": {...}})``. A
    call whose worker is lost is not repeated by Ray, which would ask, and pay, again: the row has an error.

    Args:
        **options: Options of each task, see `ray.remote`.

    Raises:
        UsageError: Ray is not installed.
    """

    def __init__(self, **options: Any) -> None:
        try:
            self._ray: Any = import_module("ray")
        except ImportError:
            raise UsageError(_("RayExecutor needs Ray. Run `pip install ray`.")) from None
        if not self._ray.is_initialized():
            self._ray.init()
        self._run = self._ray.remote(_call).options(**{"max_retries": 0, **options})

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Start a call and return its future."""
        future: Future[T] = self._run.remote(fn, args, kwargs).future()
        return future


def _call(function: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
    return function(*args, **kwargs)
