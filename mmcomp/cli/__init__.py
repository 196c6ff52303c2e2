"""The command line: argument parsers of all tools, and what they share."""

from .run_tool import run_tool

__all__ = ['run_tool']
