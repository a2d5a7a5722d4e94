"""SmoothGrad (Smilkov et al., 2017): the gradient, averaged over noisy copies of the image."""

import torch

from spade.saliency import Answer, Method, Query

COPIES = 16
NOISE = 0.15
"""Standard deviation of the noise, as a share of the range of the image's values."""


def smooth_grad(query: Query) -> Answer:
    """Mean of d score / d input [1, C, H, W] over COPIES images with Gaussian noise."""
    spread = NOISE * float(query.x.max() - query.x.min())
    total = torch.zeros_like(query.x)
    for _ in range(COPIES):
        noise = torch.randn(query.x.shape, generator=query.generator, dtype=query.x.dtype, device=query.x.device)
        noisy = (query.x + spread * noise).requires_grad_()
        score = query.network(noisy)[0, query.target]
        total += torch.autograd.grad(score, noisy)[0]
    return Answer(total / COPIES)


SMOOTHGRAD = Method(smooth_grad, "gradient", random=True)
