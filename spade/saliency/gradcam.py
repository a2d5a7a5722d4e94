"""Guided Grad-CAM."""

import torch
from captum.attr import LayerAttribution, LayerGradCam

from ..errors import nearest
from .backprop import guided_backprop
from .prepared import MethodUnavailable
from .query import Answer, Query


def guided_grad_cam(query: Query) -> Answer:
    """Guided Backprop times the class activation map (Selvaraju et al., 2017).

    The map is taken at the last module to finish that holds a convolution and gives more than one
    position: the last stage of a ResNet, the feature stack of MobileNet-V2 and ConvNeXt, the last
    convolution of a plain stack. `Settings.cam_layer` overrides it.

    Raises:
        MethodUnavailable: There is no such module, the named layer does not exist or is no map, or Guided
            Backprop is unavailable.
    """
    name = cam_layer(query)
    cam = LayerGradCam(query.network, query.network.get_submodule(name)).attribute(
        query.leaf, target=query.target, relu_attributions=True
    )
    if not isinstance(cam, torch.Tensor) or cam.ndim != 4:
        raise MethodUnavailable(f"GuidedGradCam needs a layer that gives a map [N, C, H, W]; '{name}' does not.")
    grown = LayerAttribution.interpolate(
        cam.detach(), tuple(query.x.shape[2:]), interpolate_mode=query.settings.cam_interpolation
    )
    return Answer(guided_backprop(query).values * grown)


def cam_layer(query: Query) -> str:
    """Name of the layer whose map Grad-CAM weighs.

    Raises:
        MethodUnavailable: There is none, or the one asked for does not exist.
    """
    names = [name for name, _ in query.network.named_modules() if name]
    wanted = query.settings.cam_layer
    if wanted is not None and wanted not in names:
        raise MethodUnavailable(f"GuidedGradCam: the network has no layer '{wanted}': {nearest(wanted, names)}")
    found = wanted or query.prepared.anatomy(query.x).last_map
    if not found:
        raise MethodUnavailable(
            "GuidedGradCam cannot take this network: no module with a convolution gives a map of more than one "
            "position; name a layer with the setting cam_layer."
        )
    return found
