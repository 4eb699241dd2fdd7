"""Networks of one's own that features are taken by, found through the entry points of the group ``synthspec.features``.

An entry point is a callable without arguments that gives the network, a ``torch.nn.Module``: content in [-1, 1], float32
[n, channels, height, width] of pictures or [n, frames, channels, height, width] of clips, to features [n, dim]. Its weights
come from the file that the spec names, never from its constructor. Nothing is loaded here: what is installed is looked up.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

GROUP = "synthspec.features"


@dataclass(frozen=True, slots=True)
class FeatureModule:
    """An entry point, and the distribution that offers it."""

    point: EntryPoint
    distribution: str
    version: str

    @property
    def provided(self) -> str:
        """What the plan says of it: ``acme-features 1.2.0 (acme.features:build)``. Other code is another network."""
        return f"{self.distribution} {self.version} ({self.point.value})"


class UnknownModuleError(Exception):
    """No installed distribution offers the entry point, or more than one does."""

    def __init__(self, message: str, help_text: str) -> None:
        super().__init__(message)
        self.message = message
        self.help = help_text


def feature_module(name: str) -> FeatureModule:
    """The entry point called `name`. Raises UnknownModuleError unless exactly one distribution offers it."""
    points = entry_points(group=GROUP)
    found = {
        (point.dist.name, point.value): FeatureModule(point, point.dist.name, point.dist.version)
        for point in points
        if point.name == name and point.dist is not None
    }
    if not found:
        offered = ", ".join(sorted({point.name for point in points})) or "none"
        raise UnknownModuleError(
            f"no installed distribution offers the features {name!r} (offered: {offered})",
            f"install the one that has {name!r} among its entry points of the group {GROUP}",
        )
    if len(found) > 1:
        claims = ", ".join(sorted(each.provided for each in found.values()))
        raise UnknownModuleError(
            f"the features {name!r} are offered more than once: {claims}", "uninstall all but the one that is meant"
        )
    return next(iter(found.values()))
