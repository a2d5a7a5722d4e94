"""The plain gradient, and the gradient times the input."""

from captum.attr import InputXGradient
from captum.attr import Saliency as GradientSaliency

from .query import Answer, Query


def saliency(query: Query) -> Answer:
    """Gradient of the score at the input (Simonyan et al., 2014), signed; Captum drops the sign unless told."""
    return Answer(GradientSaliency(query.network).attribute(query.leaf, target=query.target, abs=False))


def input_x_gradient(query: Query) -> Answer:
    """Input times d score / d input (Shrikumar et al., 2016)."""
    return Answer(InputXGradient(query.network).attribute(query.leaf, target=query.target).detach())
