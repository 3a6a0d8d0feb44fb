# SPDX-License-Identifier: Apache-2.0
"""Markdown that users wrote, and source code, as HTML that is safe in a page of the hub."""

from hubkeep.web.markdown.highlighting import highlight
from hubkeep.web.markdown.places import Place
from hubkeep.web.markdown.rendering import MAX_TEXT, Rendered, render_markdown
from hubkeep.web.markdown.settling import Heading

__all__ = ["MAX_TEXT", "Heading", "Place", "Rendered", "highlight", "render_markdown"]
