"""Refusals of requests that are too long are recognised in the words of many servers, with the sizes that they name."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic.errors import ContextLengthError, HTTPStatusError
from lockbots_magic.providers.wire.context_length import MAX_TOKENS, find_overflow
from lockbots_magic.providers.wire.errors import object_error, refusal_error
from tests.effort import examples

TOO_LONG = (
    (422, "", "Input validation error: `inputs` must have less than 1024 tokens. Given: 2000", 1024, 2000),
    (400, "", "The engine prompt length 9000 exceeds the max_model_len 8192. Please reduce prompt.", 8192, 9000),
    (
        400,
        "",
        "'max_tokens' or 'max_completion_tokens' is too large: 3000. This model's maximum context "
        "length is 4096 tokens and your request has 2000 input tokens (3000 > 4096 - 2000).",
        1096,
        2000,
    ),
    (
        400,
        "context_length_exceeded",
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 8200 "
        "tokens. Please reduce the length of the messages.",
        8192,
        8200,
    ),
    (
        400,
        "",
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4000 "
        "in the messages, 1000 in the completion). Please reduce the length of the messages or "
        "completion.",
        3096,
        4000,
    ),
    (
        400,
        "",
        "The decoder prompt (length 5012) is longer than the maximum model length of 4096. Make sure "
        "that max_model_len is no smaller",
        4096,
        5012,
    ),
    (
        400,
        "exceed_context_size_error",
        "request (1000 tokens) exceeds the available context size (512 tokens), try increasing it",
        512,
        1000,
    ),
    (
        400,
        "",
        "the request exceeds the available context size. try increasing the context size or enable context shift",
        None,
        None,
    ),
    (
        400,
        "",
        "prompt is too long: 208310 tokens > 200000 maximum",
        200000,
        208310,
    ),
    (
        400,
        "",
        "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease input "
        "length or `max_tokens` and try again",
        180000,
        190000,
    ),
    (
        400,
        "",
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        1048576,
        1200000,
    ),
    (
        400,
        "",
        "The input token count exceeds the maximum number of tokens allowed 1048576.",
        1048576,
        None,
    ),
    (
        400,
        "",
        "Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded "
        "with context length of only 4096 tokens, which is not enough. Try to load the model with a "
        "larger context length, or provide a shorter input",
        4096,
        5000,
    ),
    (
        400,
        "",
        "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
        32768,
        40000,
    ),
    (
        400,
        "",
        "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 6500. Try "
        "using a shorter prompt",
        4081,
        6500,
    ),
    (
        400,
        "",
        "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
        131072,
        537812,
    ),
    (
        422,
        "",
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097. Given: 5000 "
        "`inputs` tokens and 500 `max_new_tokens`",
        3597,
        5000,
    ),
    (
        400,
        "",
        "The input (5000 tokens) is longer than the model's context length (4096 tokens).",
        4096,
        5000,
    ),
    (
        400,
        "",
        "Requested token count exceeds the model's maximum context length of 4096 tokens. You requested "
        "a total of 5000 tokens: 4000 tokens from the input messages and 1000 tokens for the "
        "completion. Please reduce",
        3096,
        4000,
    ),
    (
        400,
        "",
        "The prompt is too long: 12000, model maximum context length: 8192",
        8192,
        12000,
    ),
    (
        400,
        "",
        "This endpoint's maximum context length is 131072 tokens. However, you requested about 140000 "
        "tokens (139000 of text input, 1000 in the output). Please reduce the length of either one, or "
        "use the middle-out transform",
        130072,
        139000,
    ),
    (
        400,
        "",
        "Input is too long for requested model.",
        None,
        None,
    ),
    (
        400,
        "context_length_exceeded",
        "Please reduce the length of the messages or completion. Current length is 9000 while limit is 8192",
        8192,
        9000,
    ),
    (
        413,
        "tokens_limit_reached",
        "Request body too large for gpt-4o model. Max size: 8000 tokens.",
        8000,
        None,
    ),
    (
        400,
        "",
        "Invalid request: Your request exceeded model token limit: 8192",
        8192,
        None,
    ),
    (
        400,
        "InvalidParameter",
        "Range of input length should be [1, 30720]",
        30720,
        None,
    ),
    (400, "", "Input length 5000 exceeds the maximum allowed token count 4096", 4096, 5000),
    (400, "", "Please reduce the length of the messages or completion.", None, None),
    (
        413,
        "rate_limit_exceeded",
        "Request too large for model `x` in organization `o` service tier `on_demand` on tokens per "
        "minute (TPM): Limit 6000, Requested 8000, please reduce your message size and try again.",
        6000,
        8000,
    ),
    (
        429,
        "rate_limit_exceeded",
        "Request too large for gpt-4 in organization org-x on tokens per min (TPM): Limit 10000, "
        "Requested 12000. The input or output tokens must be reduced in order to run successfully.",
        10000,
        12000,
    ),
    (
        400,
        "",
        "Your input exceeds the context window of this model. Please adjust your input and try again.",
        None,
        None,
    ),
    (
        400,
        "",
        "prompt too long; exceeded max context length by 24 tokens",
        None,
        None,
    ),
    (
        500,
        "",
        "the input length exceeds the context length",
        None,
        None,
    ),
    (
        400,
        "",
        "The number of tokens to keep from the initial prompt is greater than the context length.",
        None,
        None,
    ),
    (
        200,
        "",
        "context length exceeded",
        None,
        None,
    ),
    (
        400,
        "",
        "ContextWindowExceededError: litellm.BadRequestError: prompt is too long: 5,000 tokens > 4,096 maximum",
        4096,
        5000,
    ),
)
"""Status, code, words, limit of the prompt, size of the prompt."""

SOMETHING_ELSE = (
    (
        429,
        "rate_limit_exceeded",
        "Rate limit reached for gpt-4 on tokens per min (TPM): Limit 10000, Used 9000, Requested 2000. "
        "Please try again in 3s.",
    ),
    (
        400,
        "",
        "messages.0.content.1.image.source.base64: image exceeds 5 MB maximum: 6000000 bytes > 5242880 bytes",
    ),
    (
        400,
        "",
        "Invalid 'messages[0].content': string too long. Expected a string with maximum length 1048576",
    ),
    (
        400,
        "",
        "'max_tokens' or 'max_completion_tokens' is too large: 5000. This model's maximum context "
        "length is 4096 tokens and your request has 100 input tokens (5000 > 4096 - 100).",
    ),
    (
        400,
        "",
        "temperature must be less than 2",
    ),
    (
        402,
        "",
        "You requested up to 32000 tokens, but can only afford 1000",
    ),
    (
        400,
        "",
        "Extra inputs are not permitted, field: 'stream_options'",
    ),
    (
        400,
        "",
        "max_tokens is too large: 100000. This model supports at most 16384 completion tokens",
    ),
    (
        403,
        "",
        "You have exceeded your monthly token limit",
    ),
    (
        400,
        "",
        "Unknown parameter: 'input'",
    ),
    (
        500,
        "",
        "Internal server error",
    ),
    (
        404,
        "",
        "model not found",
    ),
)


def test_words_and_codes_of_many_servers_are_recognised():
    found = {words: find_overflow(status, code, words) for status, code, words, *_ in TOO_LONG}
    assert found == {words: (limit, prompt) for *_, words, limit, prompt in TOO_LONG}


def test_errors_about_something_else_are_left_alone():
    assert {
        words: found for status, code, words in SOMETHING_ELSE if (found := find_overflow(status, code, words))
    } == {}


def test_sizes_in_fields_of_the_error_object_take_precedence():
    body = {
        "error": {
            "code": 400,
            "message": "too long",
            "type": "exceed_context_size_error",
            "n_prompt_tokens": 900,
            "n_ctx": 512,
        }
    }
    error = refusal_error(400, json.dumps(body).encode())
    assert isinstance(error, ContextLengthError)
    assert (error.limit, error.prompt_tokens, error.status, error.retryable) == (512, 900, 400, False)


def test_error_object_inside_a_success_is_recognised():
    error = object_error(
        {"error": {"message": "The model's context length was exceeded", "code": "context_length_exceeded"}}
    )
    assert isinstance(error, ContextLengthError)
    assert error.code == "context_length_exceeded"


def test_error_of_the_server_that_speaks_of_tokens_is_not_retried_as_one():
    assert type(refusal_error(400, b'{"error": "temperature is too large"}')) is HTTPStatusError


@settings(max_examples=examples(200))
@given(
    st.text(max_size=60),
    st.integers(0, 10**30),
    st.integers(0, 10**30),
    st.sampled_from([200, 400, 413, 422, 429, 500]),
)
def test_any_words_and_numbers_are_read_without_fault(noise, one, two, status):
    words = f"{noise} maximum context length is {one} tokens. However, your messages resulted in {two} tokens."
    found = find_overflow(status, "", words, {"error": {"n_ctx": one}})
    assert found is None or all(size is None or 0 < size <= MAX_TOKENS for size in found)
