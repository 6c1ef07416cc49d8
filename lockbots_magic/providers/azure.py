"""Models that are deployed in Azure: the key goes in the header `api-key`, and a model is named by its deployment.

Wire facts: Azure OpenAI, "API version lifecycle" (``{endpoint}/openai/v1/``) and "REST API reference"
(``{endpoint}/openai/deployments/{name}/chat/completions?api-version=...``).
"""

from __future__ import annotations

import os
from typing import ClassVar
from urllib.parse import quote, urlsplit

from ..conversation.cancellation import Cancellation
from ..conversation.messages import ModelInfo
from ..errors import ModelNotFoundError, UsageError
from ..language import _
from ..security.secrets import Secret
from .address import api_version, is_local, join_path
from .dialects import CHAT_COMPLETIONS
from .openai_compatible import OpenAICompatible

VERSION_VARIABLES = ("AZURE_OPENAI_API_VERSION", "OPENAI_API_VERSION")
"""Environment variables that name the API version; with one, requests go to the path of the deployment."""


class Azure(OpenAICompatible):
    """`azure:DEPLOYMENT`, at the endpoint of a resource.

    The base URL is the resource's endpoint, `https://NAME.openai.azure.com`, alone or with a path and a query. Alone it
    stands for the current API, ``/openai/v1``; with ``?api-version=...`` for the one of deployments.
    """

    name = "azure"
    url = ""
    needs_auth: ClassVar[bool] = True
    reports_usage: ClassVar[bool] = True
    lists_models: ClassVar[bool] = False  # its list holds what could be deployed
    credential_env: ClassVar[tuple[str, ...]] = ("AZURE_OPENAI_API_KEY",)
    base_url_env: ClassVar[tuple[str, ...]] = ("AZURE_OPENAI_ENDPOINT",)

    def _find_base_url(self, given: str | None) -> tuple[str, str]:
        return super()._find_base_url(self.complete_base_url(given, "") if given else None)

    @classmethod
    def complete_base_url(cls, url: str, variable: str) -> str:
        """Return the base URL for the endpoint of a resource; one with a path is complete."""
        version = next(filter(None, (os.environ.get(name, "").strip() for name in VERSION_VARIABLES)), "")
        if urlsplit(url).path.strip("/") or api_version(url):
            return url
        if variable and version:
            return f"{url.rstrip('/')}?api-version={quote(version)}"
        return join_path(url, "/openai/v1")

    def ready(self) -> None:
        """Require the address of the resource, and a credential unless that is this machine."""
        if not self.base_url:
            raise UsageError(
                _(
                    "azure needs the endpoint of your resource. Set the environment variable "
                    "AZURE_OPENAI_ENDPOINT, or give it as the base URL: https://NAME.openai.azure.com"
                )
            )
        if self.base_url == self.url or not is_local(self.base_url):
            super(OpenAICompatible, self).ready()

    def chat_endpoint(self, model: ModelInfo) -> str:
        """Return the URL that chat requests go to: with an API version, that of the deployment."""
        path = urlsplit(self.base_url).path
        if not api_version(self.base_url) or "/deployments/" in path or path.endswith("/v1"):
            return super().chat_endpoint(model)
        start = "" if path.endswith("/openai") else "/openai"
        if self.dialect.name != CHAT_COMPLETIONS:  # the deployment is named in the body alone
            return self.endpoint(f"{start}{self.dialect.path}")
        return self.endpoint(f"{start}/deployments/{quote(model.id, safe='')}{self.dialect.path}")

    def build_auth_header(self) -> dict[str, Secret]:
        """Return the header that carries the key, if there is one."""
        return {"api-key": self.auth} if self.auth else {}

    def resolved(self, model: str, cancellation: Cancellation) -> ModelInfo:
        """Return the deployment; the list of models holds what could be deployed, so there is no default.

        Raises:
            ModelNotFoundError: None is named.
        """
        info = self.model_info(model)
        if not info.id:
            message = _("Name the deployment: `azure:DEPLOYMENT`.")
            raise ModelNotFoundError(message, provider=self.name)
        return info
