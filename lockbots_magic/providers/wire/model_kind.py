"""What a listed model is for: chat, or embedding, speech, images, reranking, moderation. Pure.

Wire facts: fields `type` (LM Studio, Together), `task`, `mode` (LiteLLM), `capabilities` (Ollama, Mistral),
`supportedGenerationMethods` (Gemini), `architecture` (OpenRouter, llama-server). Many servers send none of them, so
that only the id tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...conversation.model_names import display_name
from ...late_pattern import late_pattern

_PURPOSES = ("type", "model_type", "task", "tasks", "pipeline_tag", "mode", "supportedGenerationMethods")
_ABILITIES = ("capabilities",)
"""Fields of abilities: a model with the ability "audio" may well be for chat."""
INACTIVE = "inactive"
"""Kind of a model that the server lists but does not serve."""
_SERVED = ("active", "is_active", "enabled", "is_enabled", "available", "is_available")
_WITHDRAWN = ("archived", "disabled", "is_disabled", "retired")
"""Flags of a row (Groq: `active`; Mistral: `archived`)."""
_CHAT = late_pattern(
    r"chat|completions?|llm|vlm|language|instruct|generate|text-generation|image-text-to-text|conversational"
)
_KINDS = {
    "embedding": late_pattern(r"embed|feature-extraction|sentence-similarity"),
    "rerank": late_pattern(r"rerank|text-ranking|score"),
    "speech": late_pattern(r"speech|audio|transcri|tts|stt|asr"),
    "image": late_pattern(r"image|diffusion"),
    "video": late_pattern(r"video"),
    "moderation": late_pattern(r"moderat|classif"),
}
_ID_KINDS = {
    "embedding": r"embed|(?<![a-z])(?:bge|gte|e5|minilm|sbert|jina-clip|clip)(?![a-z])|all-mpnet|all-minilm|nomic-bert",
    "rerank": r"re-?rank",
    "speech": r"whisper|(?<![a-z])(?:tts|stt|asr|bark|kokoro|piper|parakeet|voxtral-tts|orpheus)(?![a-z])"
    r"|transcri|text-to-speech|playai|distil-large-v3",
    "image": r"dall-?e|(?<![a-z])(?:flux|sdxl|sd3|imagen|gpt-image|qwen-image)(?![a-z])"
    r"|stable-?diffusion|text-to-image",
    "video": r"(?<![a-z])(?:sora|veo)(?![a-z])",
    "moderation": r"moderation|(?<![a-z])guard(?:ian)?(?![a-z])|shieldgemma",
}
_BY_ID = {kind: late_pattern(pattern) for kind, pattern in _ID_KINDS.items()}


def model_kind(model: str, fields: Mapping[str, Any]) -> str:
    """Return what a model is for, or that it is `INACTIVE`; `""` for chat, also where nothing tells.

    Args:
        model: Id of the model.
        fields: Its row in the list.
    """
    if any(fields.get(name) is False for name in _SERVED) or any(fields.get(name) is True for name in _WITHDRAWN):
        return INACTIVE
    purposes, abilities = list(_words(fields, _PURPOSES)), list(_words(fields, _ABILITIES))
    if any(_CHAT.search(word) and not _kind_of(word) for word in (*purposes, *abilities)):
        return ""
    kinds = [*map(_kind_of, purposes), *(kind for kind in map(_kind_of, abilities) if kind in ("embedding", "rerank"))]
    if kind := next(filter(None, kinds), ""):
        return kind
    outputs, name = _modalities(fields, "output_modalities"), display_name(model).lower()
    if outputs and "text" not in outputs:
        return next((kind for output in outputs if (kind := _kind_of(output))), outputs[0][:20])
    return next((kind for kind, pattern in _BY_ID.items() if pattern.search(name)), "")


def takes_images(fields: Mapping[str, Any]) -> bool | None:
    """Return whether a model accepts images, None if its row in the list doesn't tell."""
    if inputs := _modalities(fields, "input_modalities"):
        return "image" in inputs
    told = set(_words(fields, (*_PURPOSES, *_ABILITIES)))
    return True if told & {"vlm", "vision", "multimodal", "image-text-to-text"} else None


def _kind_of(word: str) -> str:
    if word in ("llm", "vlm", "vision", "multimodal", "image-text-to-text", "completion-chat"):
        return ""
    return next((kind for kind, pattern in _KINDS.items() if pattern.search(word)), "")


def _words(fields: Mapping[str, Any], names: Iterable[str]) -> Iterator[str]:
    """Yield what some fields say in lower case: texts, items of lists, and names of flags that are true."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, dict):
            value = [key for key, is_set in value.items() if is_set is True]
        for word in value if isinstance(value, list) else [value]:
            if isinstance(word, str):
                yield word.lower().replace("_", "-")


def _modalities(fields: Mapping[str, Any], name: str) -> list[str]:
    architecture = fields.get("architecture")
    for row in (architecture, fields):
        given = row.get(name) if isinstance(row, Mapping) else None
        if isinstance(given, list) and (words := [word.lower() for word in given if isinstance(word, str)]):
            return words
    return []
