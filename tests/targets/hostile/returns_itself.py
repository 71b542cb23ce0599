# expect: returned
"""Returns a list that contains itself."""


def attention(Q, K, V):
    found = [V]
    found.append(found)
    return found
