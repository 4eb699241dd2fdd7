"""`python -m benchmarks` runs them all; `python -m benchmarks.validate --help` says what one of them takes."""

from __future__ import annotations

from benchmarks import metrics, privacy, tabular, validate, verify, watermark

for benchmark in (validate, metrics, tabular, privacy, verify, watermark):
    print(f"# {benchmark.__name__}\n", flush=True)
    benchmark.main([])
