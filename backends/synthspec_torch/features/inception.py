"""The network of the FID of Heusel et al. 2017: Inception v3 as in the TensorFlow graph of 2015-12-05, up to `pool3`.

It differs from the later Inception v3 in that average pools leave the padding out of the count and the last block takes
a maximum. Names of weights are those of the published conversion (``pt_inception-2015-12-05``), which the user brings as
safetensors; nothing is downloaded. For inference only.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import avg_pool2d, max_pool2d, relu

DIM = 2048
SIDE = 299
_CLASSES = 1008
"""Outputs of the classifier: it is in the file, but not in the features."""
_ROW, _COLUMN = (1, 7), (7, 1)


class Unit(nn.Module):
    """A convolution without bias, batch norm at its running moments, ReLU.

    Stride 1 pads to keep the size, unless told otherwise; stride 2 does not pad.
    """

    def __init__(
        self, into: int, out: int, kernel: int | tuple[int, int] = 1, stride: int = 1, *, padded: bool = True
    ) -> None:
        super().__init__()
        height, width = kernel if isinstance(kernel, tuple) else (kernel, kernel)
        padding = (height // 2, width // 2) if padded and stride == 1 else (0, 0)
        self.conv = nn.Conv2d(into, out, (height, width), stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(out, eps=0.001)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return relu(self.bn(self.conv(x)))


class BlockA(nn.Module):
    """35 x 35: branches 1x1, 5x5, double 3x3, and a mean pool."""

    def __init__(self, into: int, pool: int) -> None:
        super().__init__()
        self.branch1x1 = Unit(into, 64)
        self.branch5x5_1, self.branch5x5_2 = Unit(into, 48), Unit(48, 64, 5)
        self.branch3x3dbl_1, self.branch3x3dbl_2 = Unit(into, 64), Unit(64, 96, 3)
        self.branch3x3dbl_3 = Unit(96, 96, 3)
        self.branch_pool = Unit(into, pool)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat(
            [self.branch1x1(x), self.branch5x5_2(self.branch5x5_1(x)), double, self.branch_pool(_mean(x))], dim=1
        )


class BlockB(nn.Module):
    """35 x 35 to 17 x 17."""

    def __init__(self, into: int) -> None:
        super().__init__()
        self.branch3x3 = Unit(into, 384, 3, 2)
        self.branch3x3dbl_1, self.branch3x3dbl_2 = Unit(into, 64), Unit(64, 96, 3)
        self.branch3x3dbl_3 = Unit(96, 96, 3, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), double, max_pool2d(x, 3, 2)], dim=1)


class BlockC(nn.Module):
    """17 x 17: branches 1x1, 7x7 and double 7x7 as rows and columns, and a mean pool."""

    def __init__(self, into: int, width: int) -> None:
        super().__init__()
        self.branch1x1 = Unit(into, 192)
        self.branch7x7_1, self.branch7x7_2 = Unit(into, width), Unit(width, width, _ROW)
        self.branch7x7_3 = Unit(width, 192, _COLUMN)
        self.branch7x7dbl_1, self.branch7x7dbl_2 = Unit(into, width), Unit(width, width, _COLUMN)
        self.branch7x7dbl_3, self.branch7x7dbl_4 = Unit(width, width, _ROW), Unit(width, width, _COLUMN)
        self.branch7x7dbl_5 = Unit(width, 192, _ROW)
        self.branch_pool = Unit(into, 192)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        single = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        return torch.cat([self.branch1x1(x), single, double, self.branch_pool(_mean(x))], dim=1)


class BlockD(nn.Module):
    """17 x 17 to 8 x 8."""

    def __init__(self, into: int) -> None:
        super().__init__()
        self.branch3x3_1, self.branch3x3_2 = Unit(into, 192), Unit(192, 320, 3, 2)
        self.branch7x7x3_1, self.branch7x7x3_2 = Unit(into, 192), Unit(192, 192, _ROW)
        self.branch7x7x3_3, self.branch7x7x3_4 = Unit(192, 192, _COLUMN), Unit(192, 192, 3, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        long = self.branch7x7x3_4(self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x))))
        return torch.cat([self.branch3x3_2(self.branch3x3_1(x)), long, max_pool2d(x, 3, 2)], dim=1)


class BlockE(nn.Module):
    """8 x 8: forked 3x3 branches, and a pool that is a maximum in the last block of the graph."""

    def __init__(self, into: int, *, maximum: bool) -> None:
        super().__init__()
        self._maximum = maximum
        self.branch1x1 = Unit(into, 320)
        self.branch3x3_1 = Unit(into, 384)
        self.branch3x3_2a, self.branch3x3_2b = Unit(384, 384, (1, 3)), Unit(384, 384, (3, 1))
        self.branch3x3dbl_1, self.branch3x3dbl_2 = Unit(into, 448), Unit(448, 384, 3)
        self.branch3x3dbl_3a, self.branch3x3dbl_3b = Unit(384, 384, (1, 3)), Unit(384, 384, (3, 1))
        self.branch_pool = Unit(into, 192)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        single = self.branch3x3_1(x)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        pooled = max_pool2d(x, 3, 1, 1) if self._maximum else _mean(x)
        branches = [
            self.branch1x1(x), self.branch3x3_2a(single), self.branch3x3_2b(single),
            self.branch3x3dbl_3a(double), self.branch3x3dbl_3b(double), self.branch_pool(pooled),
        ]  # fmt: skip
        return torch.cat(branches, dim=1)


class Inception(nn.Module):
    """Images [n, 3, 299, 299] in [-1, 1] to features [n, 2048]."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = Unit(3, 32, 3, 2)
        self.Conv2d_2a_3x3 = Unit(32, 32, 3, padded=False)
        self.Conv2d_2b_3x3 = Unit(32, 64, 3)
        self.Conv2d_3b_1x1 = Unit(64, 80)
        self.Conv2d_4a_3x3 = Unit(80, 192, 3, padded=False)
        self.Mixed_5b, self.Mixed_5c, self.Mixed_5d = BlockA(192, 32), BlockA(256, 64), BlockA(288, 64)
        self.Mixed_6a = BlockB(288)
        self.Mixed_6b, self.Mixed_6c, self.Mixed_6d = BlockC(768, 128), BlockC(768, 160), BlockC(768, 160)
        self.Mixed_6e = BlockC(768, 192)
        self.Mixed_7a = BlockD(768)
        self.Mixed_7b, self.Mixed_7c = BlockE(1280, maximum=False), BlockE(2048, maximum=True)
        self.fc = nn.Linear(DIM, _CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(max_pool2d(x, 3, 2)))
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(max_pool2d(x, 3, 2))))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))))
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
        return x.mean(dim=(2, 3))


def _mean(x: torch.Tensor) -> torch.Tensor:
    return avg_pool2d(x, 3, 1, 1, count_include_pad=False)
