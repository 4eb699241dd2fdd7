"""Run in an interpreter of its own: load one backend, ask it everything that must be cheap, report what that cost.

``python -m synthspec.testing.probe package.module:OBJECT`` prints one JSON object. Kept out of the conformance package,
whose other modules load numpy.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import EntryPoint

from synthspec.testing.catalogue import catalogue

HEAVY = (
    "diffusers", "jax", "keras", "numpy", "pandas", "pyarrow", "ray", "scipy", "sklearn", "tensorflow", "torch",
    "torchvision", "transformers",
)  # fmt: skip
"""What a backend may load in `kernels` alone."""

_IMPURE = ("import", "open", "os.system", "socket.connect", "subprocess.Popen")


def probe(target: str) -> dict[str, list[str]]:
    """What loading `target` and asking it everything but `kernels` has loaded, and what `supports` did beside answering."""
    events: list[str] = []
    watching = [False]

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if watching[0] and event in _IMPURE:
            events.append(f"{event} {arguments[0] if arguments else ''}")

    sys.addaudithook(watch)
    ops = catalogue()
    backend = EntryPoint(name="probe", value=target, group="").load()
    watching[0] = True
    for op in ops:
        backend.supports(op)
    watching[0] = False
    backend.missing()
    backend.environment()
    return {"loaded": [name for name in HEAVY if name in sys.modules], "impure": sorted(set(events))}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(probe(sys.argv[1])))
