"""Methods that average gradients between the image and a reference."""

from typing import Any

from captum.attr import GradientShap, IntegratedGradients

from .query import Answer, Query


def integrated_gradients(query: Query) -> Answer:
    """Gradients integrated on the straight line from the blank image (Sundararajan et al., 2017), times the input."""
    integrated: Any = IntegratedGradients(query.network)  # mypy cannot resolve the decorated method
    values = integrated.attribute(
        query.leaf,
        baselines=query.blank,
        target=query.target,
        n_steps=query.settings.integration_steps,
        method="gausslegendre",
        internal_batch_size=query.batch,
    )
    return Answer(values.detach(), query.rise())


def gradient_shap(query: Query) -> Answer:
    """Gradients at random points between the blank image and the noisy image (Lundberg & Lee, 2017), times the input.

    With one reference this is Integrated Gradients by Monte Carlo; its completeness error is the spread
    of that sampling. Captum's tutorial adds the image itself to the references, which halves the map and
    wastes half of the passes; the paper does not say.
    """
    # Captum's random points are float32 whatever the image is.
    shap = GradientShap(lambda images: query.network(images.to(query.x.dtype)))
    total = query.blank
    remaining = query.settings.shap_samples
    with query.borrowed_randomness():
        while remaining > 0:
            n = min(query.batch, remaining)
            mean = shap.attribute(
                query.leaf,
                baselines=query.blank,
                target=query.target,
                n_samples=n,
                stdevs=float(query.settings.shap_noise),
            )
            total = total + n * mean.detach()
            remaining -= n
    return Answer(total / query.settings.shap_samples, query.rise())
