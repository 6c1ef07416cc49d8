"""The model that a chat is given: a name, a provider or a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import LockbotsError, UsageError
from ..language import _
from ..providers import provider_class, split_model
from ..providers.base import Provider
from ..providers.function import FunctionProvider


def resolve_provider(
    model: str | type[Provider] | Provider | Callable[..., Any], settings: dict[str, Any]
) -> tuple[Provider, str]:
    """Return the provider and the model id that `model` names."""
    given = {k: v for k, v in settings.items() if v is not None}
    if isinstance(model, Provider):
        if given:
            raise UsageError(
                _("This provider exists already. Pass {names} to its constructor.", names=", ".join(given))
            )
        return model, model.default_model
    if isinstance(model, type) and issubclass(model, Provider):
        return _make_provider(model, given), ""
    if isinstance(model, str):
        name, model_id = split_model(model)
        return _make_provider(provider_class(name), given), model_id
    if callable(model):
        return _make_provider(FunctionProvider, given, model), ""
    raise UsageError(_("model must be 'provider:model', a Provider or a function, got {model!r:.60}.", model=model))


def _make_provider(kind: type[Provider], given: dict[str, Any], *function: Callable[..., Any]) -> Provider:
    """Return a provider with its settings checked; `function` is the argument of `FunctionProvider`."""
    unknown = next(iter(sorted(set(given) - kind.settings())), None)
    if unknown is not None:
        hint = (
            _(" Pass it as a parameter: params={{{unknown!r}: ...}}.", unknown=unknown)
            if unknown in kind.parameters
            else ""
        )
        known = ", ".join(sorted(kind.settings()))
        raise UsageError(
            _(
                "Unknown setting {unknown!r} of {name}.{hint} Settings: {known}.",
                unknown=unknown,
                name=kind.name,
                hint=hint,
                known=known,
            )
        )
    try:
        return kind(*function, **given)
    except (LockbotsError, KeyboardInterrupt):
        raise
    except BaseException as error:
        hint = _(" Its `__init__` must take `**settings` and pass them on.") if isinstance(error, TypeError) else ""
        message = _(
            "Provider {name!r} can't be created. {kind}: {error}.{hint}",
            name=kind.name,
            kind=type(error).__name__,
            error=error,
            hint=hint,
        )
        raise UsageError(message) from error
