"""check: ResolvedSpec -> CheckedSpec. Rules are asked, waivers applied, consequences of other findings left out."""

from synthspec.check.stage import check, check_sref, independent, without_choice

__all__ = ["check", "check_sref", "independent", "without_choice"]
