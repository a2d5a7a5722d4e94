"""The ten saliency methods under one spelling, however a table spells them."""

from ..errors import UnknownNameError, allowed_names

# Table 2's order and spelling.
METHODS = (
    "Saliency",
    "InputXGradient",
    "DeepLift",
    "LRP",
    "GuidedBackprop",
    "GuidedGradCam",
    "LIME",
    "Occlusion",
    "IntegratedGradients",
    "GradientShap",
)

# Printed spelling, lower case and without spaces or hyphens, to Table 2's. Tables A7 and A8 print one DeepLift row
# for DeepLift and InputXGradient, because both are the same on those networks (appendix D.1).
_SPELLINGS = {name.casefold(): name for name in METHODS}


def method(printed: str) -> str:
    """Table 2's spelling of a method: "Guided Grad-Cam" gives "GuidedGradCam".

    Raises:
        UnknownNameError: no method is printed so; an Average row is not a method.
    """
    folded = printed.casefold().replace(" ", "").replace("-", "")
    if folded not in _SPELLINGS:
        raise UnknownNameError(f"'{printed}' is no saliency method of the paper; {allowed_names(printed, METHODS)}")
    return _SPELLINGS[folded]
