"""CPU time of `synthspec review` on many changed specs: `python -m benchmarks.reviewing --specs 200`."""

from __future__ import annotations

import argparse
import functools
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from synthspec.review.sides import Asked, review_files

EXAMPLES = Path(__file__).parents[1] / "examples"
NAMES = ("digits-diffusion", "cancer-dp-vae", "fiber-link-flow", "digits-gan", "digits-vae")


def main(words: Sequence[str] | None = None) -> None:
    """Print one line: documents, changes, seconds of CPU."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--specs", type=int, default=200)
    options.add_argument("--budgets", action="store_true", help="another privacy budget in each spec that has one")
    asked = options.parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        old, new = Path(folder, "old"), Path(folder, "new")
        for number in range(asked.specs):
            _write(old, number, lambda text: text)
            _write(new, number, functools.partial(_changed, number=number, budgets=asked.budgets))
        start = time.process_time()
        review = review_files(old, new, Asked(today=datetime.now(UTC).date()))
        spent = time.process_time() - start
    print(f"{len(review.documents)} changed specs, {len(review.changes)} changes: {spent:.1f} s of CPU")


def _write(side: Path, number: int, change: Callable[[str], str]) -> None:
    for name in {NAMES[number % len(NAMES)], NAMES[0]}:
        folder = side / str(number) / name
        folder.mkdir(parents=True)
        for file in (EXAMPLES / name).glob("*.yaml"):
            text = file.read_text(encoding="utf-8")
            edited = change(text) if file.name == "spec.yaml" and name == NAMES[number % len(NAMES)] else text
            (folder / file.name).write_text(edited, encoding="utf-8")


def _changed(text: str, *, number: int, budgets: bool) -> str:
    text = text.replace("mi_max: 0.", f"mi_max: 0.{number + 1}").replace("{n: ", "{n: 1")
    return text.replace("eps_budget: 4.0", f"eps_budget: {3 + number / 1000:.3f}" if budgets else "eps_budget: 3.0")


if __name__ == "__main__":
    main()
