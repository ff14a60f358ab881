"""Recoveries of a practice company while its parts fail at random, judged by what there was.

`make soak MINUTES=30 SEED=7` goes on for half an hour; `make soak SEED=7 ONLY=13` repeats the thirteenth round of it.
A round damages the data at a noted moment, asks for a recovery and answers as two people do, while a drawn timetable of
faults (`schedule.py`) is laid over it (`faults.py`). Afterwards everything is healed, the run has to end, and
`judge.py` holds what is there against what has to be.
"""
