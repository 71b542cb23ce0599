# expect: error
"""Its import never ends."""

while True:
    pass
