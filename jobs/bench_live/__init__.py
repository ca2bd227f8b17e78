"""The live part of the bench: a load generator, two rivals and the stopwatch that all contestants share.

The rivals stand for what else one would write on the same topic: `faust_table` on plain Faust, `quix_windows` on Quix
Streams. The latter runs in an environment of its own, made from `requirements/bench.txt`; so this package imports
nothing here, and the rivals nothing of Kilowatch but `rows`.
"""
