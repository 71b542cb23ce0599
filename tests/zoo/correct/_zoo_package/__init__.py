"""A small package, for ``sibling_package.py``."""

from .kernel import scaled_dot_product

__all__ = ["scaled_dot_product"]
