"""check: ResolvedSpec -> CheckedSpec. Rules are asked, waivers applied, consequences of other findings left out."""

from synthspec.check.ignores import apply_ignores
from synthspec.check.stage import check, check_sref

__all__ = ["apply_ignores", "check", "check_sref"]
