"""What the backend is and takes. Loads no numpy."""

from synthspec.backend.conditions import condition_reasons

OPS = ("fit", "sample", "latency", "replay")


class Marginals:
    name, version = "marginals", "0.1.0"

    def supports(self, op):
        sample = getattr(op, "sample", op)
        fit = getattr(sample, "fit", sample)
        takes = op.op in OPS and fit.engine.family == "vae" and fit.privacy.mechanism == "none"
        if not takes or not all(f.dtype.startswith("float") and f.range for f in fit.schema.with_role("content")):
            return ("marginals makes float fields with a range, as a vae without privacy",)
        return () if op is fit else condition_reasons(sample)

    def missing(self):
        return ""

    def environment(self):
        return {"synthspec-marginals": self.version}

    def kernels(self):
        from synthspec_marginals.kernels import KERNELS

        return KERNELS


BACKEND = Marginals()
