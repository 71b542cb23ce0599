# expect: memory MemoryError
"""Takes memory until there is none."""


def attention(Q, K, V):
    kept = []
    while True:
        kept.append(bytearray(1 << 24))
