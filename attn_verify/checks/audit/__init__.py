"""The audit of an implementation: what is tried, run by workers, judged, and put together to verdicts.

``subject`` knows the target, ``schedule`` what is tried, ``tasks`` does one piece of it in a worker, ``pool`` has the
pieces done and keeps their results, ``claims`` turns results into verdicts, ``run`` is the function ``audit``.
"""
