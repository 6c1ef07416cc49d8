"""Settings of the site. Its source is the repository itself: links work here and where the repository is browsed.

`make docs` builds it: `sphinx-build -c docs . build/site`. Nothing is fetched and nothing is executed: notebooks
are shown with the outputs that they were stored with.
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_ext")]

from lockbots_magic import __version__

project = "lockbots-magic"
author = "The lockbots-magic contributors"
copyright = "the lockbots-magic contributors, MIT License"
release = version = __version__
language = "en"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "site_pages"]
root_doc = "docs/index"
include_patterns = [
    "docs/*.md",
    "docs/**/*.md",
    "notebooks/[0-9][0-9]_*.ipynb",
    "notebooks/data/*.md",
    "lockbots_magic/help/*.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
]
exclude_patterns = [".*", "**/.*", "build", "dist", "tests", "**/__pycache__", "docs/_ext", "docs/_extra"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4
nb_execution_mode = "off"
nb_merge_streams = True
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]  # no kernel: its text instead
suppress_warnings = [
    "misc.highlighting_failure",  # cells that are a prompt, or a fragment
    "myst.header",  # parts of a notebook start at any level
]

autodoc_default_options = {"members": True, "member-order": "bysource", "show-inheritance": True}
autodoc_typehints = "signature"
autodoc_class_signature = "mixed"
napoleon_numpy_docstring = False
default_role = "code"
nitpicky = False

html_theme = "furo"
html_title = f"lockbots-magic {version}"
html_extra_path = ["_extra"]
html_show_sourcelink = False
html_copy_source = True  # llms.txt leads to the sources
html_sourcelink_suffix = ""
html_theme_options = {"navigation_with_keys": True}
