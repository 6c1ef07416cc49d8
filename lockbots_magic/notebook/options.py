"""Options of `%%chat` and `%chat`."""

from __future__ import annotations

from ..conversation.documents import DOCUMENT_MODES
from ..providers.dialects import DEFAULT_DIALECT, DIALECTS
from .option_parser import OptionParser

FORMS = ("text", "code", "json")
"""Values of `--as`."""


def chat_options() -> OptionParser:
    """Return the option parser of `%%chat` and `%chat`."""
    options = OptionParser("%%chat", "Send a prompt to a language model and stream the reply into the output.")
    add = options.add_argument
    add("-m", "--model", completer="model", metavar="PROVIDER:MODEL", help="Model for this cell.")
    add("-t", "--temperature", type=float, metavar="T", help="Sampling temperature, 0-2; lower is more deterministic.")
    add(
        "-s",
        "--system",
        completer="persona",
        metavar="TEXT",
        help='System prompt for this turn; "@NAME key=value" uses a persona.',
    )
    add(
        "-c",
        "--conversation",
        completer="conversation",
        metavar="NAME",
        help="Conversation to use; created if it doesn't exist.",
    )
    add(
        "-p",
        "--param",
        completer="parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="Any other parameter of the provider.",
    )
    add("--base-url", completer="address", metavar="URL", help="Base URL of the service for this cell.")
    add("--dialect", choices=(*DIALECTS, DEFAULT_DIALECT), help="API that the service speaks, for this cell.")
    add("--raw", action="store_true", help="Send {{ }} as is; by default it is a Python expression of the notebook.")
    add(
        "--file",
        completer="source",
        action="append",
        default=[],
        metavar="FILE",
        help="Text file or document to include, such as a.pdf#3-5, or https://..., git:REPO/PATH@REV, log:ID;"
        " may be repeated. %%lockbots loaders lists what there is.",
    )
    add(
        "--send-documents",
        choices=DOCUMENT_MODES,
        help="How --file sends documents: auto (a PDF as the file where the service takes it), native or text.",
    )
    add(
        "--image",
        completer="image",
        action="append",
        default=[],
        metavar="IMAGE",
        help="Image to include: file, URL or variable.",
    )
    add("--cells", metavar="3-7", help="Cells to include with their outputs, by In[] number.")
    add("--tools", completer="functions", metavar="TOOLS", help="Functions and MCP servers that the model may use: f,g")
    add(
        "--approve",
        completer="approval",
        metavar="POLICY",
        help="Which calls are made: auto, ask, never, GLOB=MODE,GLOB=MODE, or a function or dict.",
    )
    add("--limits", metavar="NAME=N", help="Limits of tool calls: rounds=8,seconds=60,tokens=20000,usd=0.10")
    add("--to", completer="variable", metavar="VAR", help="Variable for the reply: its text, or what --as makes of it.")
    add("--as", dest="form", choices=FORMS, help="text: unformatted; code: into a new cell below; json: checked.")
    add(
        "--schema",
        completer="variable",
        metavar="VAR",
        help="With --as json: a JSON schema, type, dataclass or pydantic model.",
    )
    add("--no-history", action="store_true", help="Send without history and don't save the turn.")
    add("--no-log", action="store_true", help="Keep the turn out of the log, also when the log is on.")
    add(
        "--background",
        action="store_true",
        help="Go on in the background; `%%lockbots stop` ends the reply.",
    )
    add(
        "--each", completer="variable", metavar="TABLE", help="Send the prompt for each row; {{ column }} is its value."
    )
    add(
        "--keep",
        completer="file",
        metavar="FILE",
        help="With --each: journal of the answers, from which a run goes on.",
    )
    add("--budget", metavar="AMOUNT", help='With --each: most that it may cost: USD, or "500k tokens".')
    add("--active", type=int, metavar="N", help="With --each: most requests under way; 8 by default.")
    add("--rpm", type=float, metavar="N", help="With --each: most requests a minute.")
    add("--tpm", type=float, metavar="N", help="With --each: most tokens a minute.")
    add("--sample", type=int, metavar="N", help="With --each: only N rows, spread over the table.")
    add("--through", choices=("batch",), help="With --each: the service's batch API, at half the price.")
    add("--dry-run", action="store_true", help="Show what would be sent, and send nothing.")
    add("--count", action="store_true", help="With --dry-run: ask the service how many tokens the request has.")
    return options
