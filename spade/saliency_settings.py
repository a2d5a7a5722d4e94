"""The knobs of the ten saliency methods, explicit and frozen; read without loading the methods and their libraries."""

from dataclasses import asdict, dataclass
from typing import Literal

from .errors import InputError


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every number and choice a saliency map depends on besides the network, the image and the seed.

    Lengths are fractions of the image's side, so that one table serves 64 and 224 pixels. The reference
    input of every method that needs one is the blank image: zero after normalisation, the mean colour.

    Attributes:
        guided_activations: Which activations Guided Backprop guards. `all` is ours: ReLU and its smooth
            and clipped relatives, functional calls included. `relu` is Captum's behaviour, `nn.ReLU`
            modules only, which turns Guided Backprop into Saliency on MobileNet-V2 and ConvNeXt (tables
            A7 and A8 of the paper show exactly that).
        deep_lift_activations: Which activations get DeepLift's rescale rule: `all`, with a max pooling rule
            that is complete, or Captum's own list and rules (`captum`), under which DeepLift equals
            InputXGradient for ReLU6 and GELU networks (appendix D.1).
        cam_layer: Name of Grad-CAM's layer; None finds it (see `gradcam`).
        cam_interpolation: How the class activation map grows to the image's size; `bilinear` as in the
            Grad-CAM paper, `nearest` as Captum does unless told.
        integration_steps: Gauss-Legendre points of Integrated Gradients.
        shap_samples: Random points of GradientShap.
        shap_noise: Standard deviation of the noise GradientShap adds, in normalised units.
        lime_segmentation: `slic` superpixels or a regular `grid`; both without randomness.
        lime_segments: About how many superpixels.
        lime_samples: Evaluations of the network for one LIME map.
        occlusion_window: Side of the occluded square.
        occlusion_stride: Step between squares.
        batch_pixels: Pixels that go through the network at once in the methods that evaluate many
            inputs; bounds memory. GradientShap draws its random points batch by batch, so there it also
            decides which points are drawn; the other methods do not depend on it.
    """

    guided_activations: Literal["all", "relu"] = "all"
    deep_lift_activations: Literal["all", "captum"] = "all"
    cam_layer: str | None = None
    cam_interpolation: Literal["bilinear", "nearest"] = "bilinear"
    integration_steps: int = 24
    shap_samples: int = 20
    shap_noise: float = 0.09
    lime_segmentation: Literal["slic", "grid"] = "slic"
    lime_segments: int = 36
    lime_samples: int = 80
    occlusion_window: float = 3 / 16
    occlusion_stride: float = 1 / 8
    batch_pixels: int = 2**18

    def __post_init__(self) -> None:
        """Refuse numbers no method can work with.

        Raises:
            InputError: A count below one, or a length outside (0, 1].
        """
        for name in ("integration_steps", "shap_samples", "lime_segments", "lime_samples", "batch_pixels"):
            if getattr(self, name) < 1:
                raise InputError(f"The saliency setting {name} is {getattr(self, name)}; it must be at least 1.")
        for name in ("occlusion_window", "occlusion_stride"):
            if not 0 < getattr(self, name) <= 1:
                raise InputError(
                    f"The saliency setting {name} is {getattr(self, name)}; it is a fraction of the image's side, "
                    "above 0 and at most 1."
                )
        if self.shap_noise < 0:
            raise InputError(f"The saliency setting shap_noise is {self.shap_noise}; it cannot be negative.")

    def as_dict(self) -> dict[str, str | int | float | None]:
        """The settings as JSON can hold them, for a record."""
        return asdict(self)


# By protocol name. The paper names Captum and no setting of it, so `paper` and `official` share
# Captum's behaviour; the counts are ours everywhere because neither source prints them.
SETTINGS: dict[str, Settings] = {
    "ours": Settings(),
    "paper": Settings(guided_activations="relu", deep_lift_activations="captum", cam_interpolation="nearest"),
    "official": Settings(guided_activations="relu", deep_lift_activations="captum", cam_interpolation="nearest"),
}
