"""The judge: faults on purpose, and from the subscriber's record alone the verdict whether anything was lost.

`python -m tests.judge` (`make judge`) is the long run; the `test_*` files here are the short one. Read `verdict.py`
first: it says what is promised. `records.py` says what it is judged by, the rest makes such records.
"""
