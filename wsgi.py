"""What a WSGI server loads: ``granian --interface wsgi wsgi:app``."""

import gc

from quizapp import create_app

app = create_app()

# What was made at start lives for good: the collector need not walk it again, and need not come so often.
gc.collect()
gc.freeze()
gc.set_threshold(10_000, 20, 50)
