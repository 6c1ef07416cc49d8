"""Well-known endpoints: each is a row of `PRESETS`, from which its provider class is made."""

from __future__ import annotations

from types import MappingProxyType, SimpleNamespace

from ..late_dataclass import late_dataclass
from .address import ollama_address, with_path
from .dialects import CHAT_COMPLETIONS, MESSAGES, RESPONSES
from .openai_compatible import OpenAICompatible
from .parameters import LOCAL_PARAMETERS
from .wire.reasoning_effort import EffortStyle

_PARAMETERS_OF_LOCAL_SERVERS = MappingProxyType({**OpenAICompatible.parameters, **LOCAL_PARAMETERS})


@late_dataclass(frozen=True)
class Preset:
    """A well-known endpoint."""

    name: str
    url: str
    credential_variable: str = ""
    """Environment variable that the service's own clients read; empty if it needs no credential."""
    default_model: str = ""
    reports_usage: bool = True
    takes_images: bool = True
    takes_schema: bool = True
    takes_documents: bool = False
    effort_style: EffortStyle = "openai"
    base_url_variables: tuple[str, ...] = ()
    """Environment variables in which the service's own clients look for the base URL."""
    base_url_path: str = ""
    """Path that those variables leave out, such as ``/v1``."""
    dialect: str = CHAT_COMPLETIONS
    """Dialect that the service speaks at `url`."""
    other_dialect: str = CHAT_COMPLETIONS
    """Dialect that is spoken at any other address."""

    def make_provider_class(self) -> type[OpenAICompatible]:
        """Return the provider class that this row describes."""
        declarations = {
            "__doc__": f"The endpoint of {self.name}.",
            "__module__": __name__,
            "__qualname__": f"presets.{self.name}",  # where pickle finds the class
            "name": self.name,
            "url": self.url,
            "credential_env": (self.credential_variable,) if self.credential_variable else (),
            "needs_auth": bool(self.credential_variable),
            "default_model": self.default_model,
            "reports_usage": self.reports_usage,
            "takes_images": self.takes_images,
            "takes_schema": self.takes_schema,
            "takes_documents": self.takes_documents,
            "effort_style": self.effort_style,
            "base_url_env": self.base_url_variables,
            "native_dialect": self.dialect,
            "other_dialect": self.other_dialect,
            "is_local": not self.credential_variable,
            "parameters": OpenAICompatible.parameters if self.credential_variable else _PARAMETERS_OF_LOCAL_SERVERS,
            "complete_base_url": classmethod(lambda _unused, url, variable: self.complete_base_url(url, variable)),
        }
        return type(self.name.capitalize(), (OpenAICompatible,), declarations)

    def complete_base_url(self, url: str, variable: str) -> str:
        """Return the base URL for the value of an environment variable; see `Provider.complete_base_url`."""
        if variable not in self.base_url_variables:  # one of this package: it holds the whole
            return url
        return ollama_address(url) if variable == "OLLAMA_HOST" else with_path(url, self.base_url_path)


PRESETS = (
    Preset(
        "openai",
        "https://api.openai.com/v1",
        "OPENAI_API_KEY",
        "gpt-6-luna",
        base_url_variables=("OPENAI_BASE_URL", "OPENAI_API_BASE"),
        takes_documents=True,
        dialect=RESPONSES,
    ),
    Preset(
        "anthropic",
        "https://api.anthropic.com/v1",
        "ANTHROPIC_API_KEY",
        "claude-sonnet-5-5",
        base_url_variables=("ANTHROPIC_BASE_URL",),
        base_url_path="/v1",
        dialect=MESSAGES,
        other_dialect=MESSAGES,
    ),
    Preset(
        "gemini",
        "https://generativelanguage.googleapis.com/v1beta/openai",
        "GEMINI_API_KEY",
        "gemini-3.5-flash-lite",
        base_url_variables=("GOOGLE_GEMINI_BASE_URL",),
        base_url_path="/v1beta/openai",
    ),
    Preset("openrouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", "openrouter/auto"),
    Preset(
        "groq",
        "https://api.groq.com/openai/v1",
        "GROQ_API_KEY",
        "openai/gpt-oss-120b",
        base_url_variables=("GROQ_BASE_URL",),
        base_url_path="/openai/v1",
    ),
    Preset("mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY", "mistral-small-latest", reports_usage=False),
    Preset(
        "deepseek",
        "https://api.deepseek.com/v1",
        "DEEPSEEK_API_KEY",
        "deepseek-flash",
        takes_images=False,
        takes_schema=False,
        effort_style="deepseek",
    ),
    Preset("ollama", "http://localhost:11434/v1", base_url_variables=("OLLAMA_HOST",)),
    Preset("lmstudio", "http://localhost:1234/v1"),
    Preset("llamacpp", "http://localhost:8080/v1", effort_style="template"),
    Preset("vllm", "http://localhost:8000/v1", effort_style="template"),
)

presets = SimpleNamespace(**{row.name: row.make_provider_class() for row in PRESETS})
"""Provider classes of `PRESETS`, by name."""
