"""What a reply holds besides text: images that the model made, and sources that it cites. Pure."""

from __future__ import annotations

from ..late_dataclass import late_dataclass
from ..security.links import host_of, spelled_out
from ..security.pictures import embedded_picture


@late_dataclass(frozen=True)
class ImagePart:
    """Image made by the model."""

    url: str = ""
    """``data:`` or http(s) URL; ``""`` if the image was left out."""
    omitted: str = ""
    """Why it was left out, such as ``"an SVG image"``."""

    @property
    def label(self) -> str:
        """What stands for the image in the text of the reply, Markdown; an image on the web is a link."""
        if self.omitted:
            return f"[image left out: {self.omitted}]"
        picture = embedded_picture(self.url)
        if picture is not None:
            return f"[image: {picture.kind.upper()}, {max(1, round(picture.size / 1000))} kB]"
        return f"![image]({spelled_out(self.url)})" if host_of(self.url) else "[image]"


@late_dataclass(frozen=True)
class CitationPart:
    """Source that the model cites for the text before it."""

    url: str = ""
    title: str = ""
    quote: str = ""
