"""Record replies to a cassette file and replay them: offline, without a credential.

`provider` wraps any provider; `cassette` decides what to replay, ask and keep; `file` and `recording` hold the format;
`active` finds the cassette in use; `server_records` holds what servers of tools gave.
"""

from typing import Literal, get_args

Mode = Literal["replay", "record", "auto", "new"]
MODES: tuple[str, ...] = get_args(Mode)
