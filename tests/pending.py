"""x"""

PENDING = {}
