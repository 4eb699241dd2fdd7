"""`synthspec doctor`: whether this machine can do what SynthSpec does, and what to install."""

from __future__ import annotations

import typer


def doctor() -> None:
    """Look at the installation: Python, extras, backends, keys. Exit 1 when something that is installed is broken."""
    import platform
    from importlib.util import find_spec

    from synthspec import __version__
    from synthspec.backend.discovery import discover
    from synthspec.execute import CORE
    from synthspec.sign import config_dir

    typer.echo(f"synthspec {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    broken = 0
    if find_spec("torchvision") is not None and "cpu" in _version("torch"):
        broken += 1
        typer.echo(
            "broken: torchvision from the index is built for CUDA and breaks diffusers beside a CPU torch; "
            "run: pip uninstall torchvision"
        )
    found = discover()
    for backend in (CORE, *found.backends.values()):
        missing = backend.missing()
        typer.echo(f"backend {backend.name} {backend.version}: {f'needs: {missing}' if missing else 'ready'}")
    for each in found.broken:
        broken += 1
        typer.echo(f"broken: backend {each.name}: {each.reason}")
    typer.echo(f"configuration: {config_dir()}")
    for name in ("numpy", "scipy", "scikit-learn", "torch", "diffusers", "safetensors"):
        typer.echo(f"{name}: {_version(name)}")
    if broken:
        raise typer.Exit(1)


def _version(name: str) -> str:
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"
