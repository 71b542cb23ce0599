"""The command line, ``attn-verify``; its commands are faces of the Python functions of the same names."""

from attn_verify.cli.program import main

__all__ = ["main"]
