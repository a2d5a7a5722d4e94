"""A small bottleneck residual network with the names of torchvision's ResNet (conv1, layer1 .. layer4, fc)."""

import torch
from torch import Tensor, nn
from torchvision.models.resnet import Bottleneck

from .shape import Shape


class SmallResNet(nn.Module):
    """ResNet for 64-pixel images: a 3x3 stem without pooling, four stages of torchvision's `Bottleneck`, one head.

    Departure from ResNet50: the stem is 3x3 with no max pooling, since 64 pixels leave no room for a 32-fold reduction.
    """

    layer1: nn.Sequential
    layer2: nn.Sequential
    layer3: nn.Sequential
    layer4: nn.Sequential

    def __init__(self, shape: Shape, classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, shape.stem_width, 3, stride=shape.stem_stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(shape.stem_width)
        self.relu = nn.ReLU()
        width_in = shape.stem_width
        for i, (blocks, width, stride) in enumerate(zip(shape.blocks, shape.widths, shape.strides, strict=True), 1):
            stage = []
            for j in range(blocks):
                step = stride if j == 0 else 1
                shortcut = None
                if step != 1 or width_in != width:
                    shortcut = nn.Sequential(
                        nn.Conv2d(width_in, width, 1, stride=step, bias=False), nn.BatchNorm2d(width)
                    )
                stage.append(
                    Bottleneck(width_in, width // Bottleneck.expansion, step, shortcut, base_width=shape.base_width)
                )
                width_in = width
            self.add_module(f"layer{i}", nn.Sequential(*stage))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(width_in, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Logits [N, classes] of images [N, 3, H, W]."""
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        logits: Tensor = self.fc(torch.flatten(self.avgpool(x), 1))
        return logits
