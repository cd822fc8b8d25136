"""An independent reader and writer of sceau 1, from its specification alone.

It shares no code with the C program: hashlib for the hash, Python's
cryptography for the cipher.  See README beside this file.
"""

from . import code, envelope, identity, kdf, records  # noqa: F401
from .errors import NotSealed, SceauError  # noqa: F401
