"""I40-5, distill_diffusion: a student that needs fewer evaluations (M40-5.5, P405-10)."""

from __future__ import annotations

from synthspec.bindings.engine import Engine
from synthspec.bindings.fitting import fitted


def distill_diffusion(
    engine_diff: Engine,
    solver_src: str,
    solver_tgt: str,
    NFE_tgt: int,
    *,
    NFE_src: int | None = None,
    method: str = "progressive",
    **more: object,
) -> Engine:
    """Distil a diffusion into a student that `solver_tgt` samples within `NFE_tgt` evaluations a record.

    The teacher draws by `solver_src` within `NFE_src` evaluations; left out, eight times those of the student. `method` is
    ``consistency``, ``progressive`` or ``teacher_student``; `more` are further keys of the acceleration, such as
    ``steps``. The student is another engine: nothing that was measured of its teacher holds for it (P405-10).
    Raises BindingError for what the rules refuse, and where no installed backend distils this way.
    """
    teacher = engine_diff.of("diffusion", "distill_diffusion")
    how = {"kind": "distill", "method": method, "NFE": NFE_tgt, "solver": solver_tgt, **more}
    spec = teacher.spec.with_(
        sampling={"solver": solver_src, "NFE": NFE_src or 8 * NFE_tgt},
        acceleration=[how],
    )
    return fitted("diffusion", teacher.ds, spec, "distill_diffusion", teacher=teacher.folder, secret=teacher.secret)
