"""One turn in progress: a request ready to be sent, its reply, and the thread that reads it."""

from .reply import PreparedRequest, Reply
from .run import ReplyRun
from .worker import ReplyWorker

__all__ = ["PreparedRequest", "Reply", "ReplyRun", "ReplyWorker"]
