"""``python -m attn_verify``."""

import sys

from attn_verify.cli import main

if __name__ == "__main__":
    sys.exit(main())
