"""A twin of a network in which every activation is a module of its own, called once."""

import copy
import types
from collections.abc import Callable, Iterator

import torch
from torch import fx, nn
from torch.nn import functional

from ..errors import InputError

# Activations a gradient rule can be attached to. `type(m) in ACTIVATIONS` and not isinstance:
# torch derives ReLU6 from Hardtanh, and a user's subclass may compute something else.
ACTIVATIONS: tuple[type[nn.Module], ...] = (
    nn.ReLU,
    nn.ReLU6,
    nn.GELU,
    nn.SiLU,
    nn.Hardswish,
    nn.LeakyReLU,
    nn.ELU,
    nn.Mish,
    nn.Softplus,
)

# Captum's DeepLift keeps its state on each of these modules, so that one called twice breaks it.
SINGLE_USE: tuple[type[nn.Module], ...] = (
    *ACTIVATIONS,
    nn.Sigmoid,
    nn.Tanh,
    nn.Softmax,
    nn.MaxPool1d,
    nn.MaxPool2d,
    nn.MaxPool3d,
)


def _max_pool(  # noqa: PLR0917 - the arguments of functional.max_pool2d
    kernel_size: int,
    stride: int | None = None,
    padding: int = 0,
    dilation: int = 1,
    ceil_mode: bool = False,  # noqa: FBT001, FBT002 - as above
    return_indices: bool = False,  # noqa: FBT001, FBT002 - as above
) -> nn.Module:
    return nn.MaxPool2d(kernel_size, stride, padding, dilation, return_indices, ceil_mode)


# What a forward function may call instead of holding a module, and the module that computes the same.
# `inplace` is dropped: a hook cannot see the input of an in-place call.
_FUNCTIONS: dict[object, Callable[..., nn.Module]] = {
    functional.relu: lambda inplace=False: nn.ReLU(),  # noqa: ARG005
    functional.relu_: nn.ReLU,
    torch.relu: nn.ReLU,
    torch.relu_: nn.ReLU,
    "relu": nn.ReLU,
    "relu_": nn.ReLU,
    torch.sigmoid: nn.Sigmoid,
    torch.tanh: nn.Tanh,
    functional.max_pool2d: _max_pool,
    functional.relu6: lambda inplace=False: nn.ReLU6(),  # noqa: ARG005
    functional.gelu: nn.GELU,
    functional.silu: lambda inplace=False: nn.SiLU(),  # noqa: ARG005
    functional.hardswish: lambda inplace=False: nn.Hardswish(),  # noqa: ARG005
    functional.leaky_relu: lambda negative_slope=0.01, inplace=False: nn.LeakyReLU(negative_slope),  # noqa: ARG005
    functional.elu: lambda alpha=1.0, inplace=False: nn.ELU(alpha),  # noqa: ARG005
}


class _ShallowTracer(fx.Tracer):
    """Traces one module's own forward; its children stay calls, so containers and their names survive."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        del m, module_qualified_name
        return True


def shallow_graph(module: nn.Module) -> fx.Graph | None:
    """The calls a module's own forward makes, children as leaves; None where it cannot be read.

    Control flow that depends on values, and forwards with arguments fx cannot stand in for, cannot be
    read. The caller then has the module as it is, and what that costs is known from its calls at run time.
    """
    try:
        return _ShallowTracer().trace(module)
    except Exception:  # noqa: BLE001 - fx runs the module's own code on stand-ins: anything may be raised
        return None


def has_own_forward(module: nn.Module) -> bool:
    """Whether the module's forward was written outside torch.nn, so that it may call activations itself."""
    return not type(module).__module__.startswith("torch.nn.")


def _state(model: nn.Module) -> Iterator[torch.Tensor]:
    """Tensors that a model holds besides its parameters; a pass may change them."""
    yield from model.buffers()
    for module in model.modules():
        # Pruning hooks and old-style weight norm keep a computed tensor as a plain attribute.
        yield from (value for value in vars(module).values() if isinstance(value, torch.Tensor))


def twin_of(model: nn.Module, *, share: bool = True) -> nn.Module:
    """A structural copy in eval mode, nothing in place, that holds the same parameters and none of the same modules.

    Hooks, modes and attributes put on the twin never reach the model, nor does what its passes leave in buffers: those
    are its own. With `share` the twin's parameters are the model's own tensors; without, they are new tensor objects
    over the same memory, so that even `.data` may be set on the twin.

    Raises:
        InputError: The model holds something that cannot be copied.
    """
    memo: dict[int, object] = {id(tensor): tensor.detach().clone() for tensor in _state(model)}
    for parameter in model.parameters():
        alias = _differentiable(parameter)
        memo[id(parameter)] = alias if share else nn.Parameter(alias.detach(), requires_grad=False)
    try:
        twin = copy.deepcopy(model, memo).eval()
    except Exception as problem:
        raise InputError(
            f"The model {type(model).__name__} cannot be copied ({problem}); the saliency methods work on a copy so "
            "that the model itself stays untouched: make it an nn.Module that copy.deepcopy accepts."
        ) from problem
    for module in twin.modules():
        if "inplace" in vars(module):  # a hook cannot see the input of an in-place call
            vars(module)["inplace"] = False
    return twin


def rebind(twin: nn.Module, target: nn.Module) -> nn.Module:
    """A copy of `twin` that holds the parameters of `target`, a model of the same kind, and the values of its buffers.

    Raises:
        InputError: The two models do not have the same parameters and buffers.
    """
    ours, theirs = _named(twin), _named(target)
    if ours.keys() != theirs.keys() or any(ours[name].shape != theirs[name].shape for name in ours):
        raise InputError(
            f"A preparation made for one {type(twin).__name__} cannot serve this {type(target).__name__}: "
            "their parameters differ. Call prepare(model) without `like`."
        )
    memo: dict[int, object] = {id(tensor): tensor.detach().clone() for tensor in _state(twin)}
    for name, tensor in ours.items():
        other = theirs[name]
        memo[id(tensor)] = _differentiable(other) if isinstance(other, nn.Parameter) else other.detach().clone()
    return copy.deepcopy(twin, memo)


def _differentiable(parameter: nn.Parameter) -> nn.Parameter:
    """The parameter itself, unless it was made in inference mode: gradients cannot pass it, nor is it ever changed."""
    if not parameter.is_inference():
        return parameter
    return nn.Parameter(parameter.detach().clone(), requires_grad=False)


def _named(model: nn.Module) -> dict[str, torch.Tensor]:
    return dict(model.named_parameters(remove_duplicate=False)) | dict(model.named_buffers(remove_duplicate=False))


def single_use(twin: nn.Module) -> list[str]:
    """Rewrite a twin in place so that each activation is a module called at one place; names what changed.

    Max pooling counts as an activation here. The rewrite is shallow: only the forward of a block that calls an
    activation as a function, or calls one activation module twice, is replaced, by a subclass of the block's
    own class. Containers, module names, state_dict and isinstance checks stay as they were; outputs are
    bit-equal (the caller checks).
    """
    _unshare(twin)
    changed = []
    for name, module in list(twin.named_modules()):
        if has_own_forward(module) and _split_calls(module):
            changed.append(name or type(module).__name__)
    for module in list(twin.modules()):
        if type(module) in SINGLE_USE:
            module.register_forward_pre_hook(_own_input)
    twin.register_forward_pre_hook(_own_batch)
    return changed


def _own_batch(_module: nn.Module, inputs: tuple[object, ...]) -> tuple[object, ...]:
    # A network that works in place on what it is given (x -= mean) would change the caller's image, and cannot on a
    # tensor that asks for its gradient. Captum's DeepLift passes tuples, of which it makes a batch of its own.
    return tuple(each.clone() if isinstance(each, torch.Tensor) else each for each in inputs)


def _own_input(_module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    # Captum's gradient rules hang on the activation's input tensor. Where a skip connection reads that
    # same tensor (pre-activation blocks), the rule would bend the skip's gradient too; a view is its own.
    return (inputs[0].view_as(inputs[0]), *inputs[1:])


def _unshare(twin: nn.Module) -> None:
    """Give each place that holds an activation a module of its own."""
    seen: set[int] = set()
    for module in list(twin.modules()):
        for name, child in list(module._modules.items()):  # noqa: SLF001 - named_children hides repeats
            if type(child) not in SINGLE_USE:
                continue
            if id(child) in seen:
                setattr(module, name, copy.deepcopy(child))
            seen.add(id(child))


def _split_calls(module: nn.Module) -> bool:
    graph = shallow_graph(module)
    if graph is None:
        return False
    fresh: dict[str, nn.Module] = {}
    called: set[object] = set()
    for node in graph.nodes:
        replacement = _replacement(module, node, called)
        if replacement is None:
            continue
        name = _free_name(module, fresh)
        fresh[name] = replacement
        node.op, node.target, node.args, node.kwargs = "call_module", name, (node.args[0],), {}
    if not fresh:
        return False
    for name, replacement in fresh.items():
        module.add_module(name, replacement)
    forward = type(fx.GraphModule(module, graph)).forward
    module.__class__ = types.new_class(
        type(module).__name__, (type(module),), exec_body=lambda body: body.update(forward=forward)
    )
    return True


def _replacement(module: nn.Module, node: fx.Node, called: set[object]) -> nn.Module | None:
    """The module that should stand at this call, or None where the call may stay."""
    if node.op == "call_module":
        child = module.get_submodule(str(node.target))
        if type(child) not in SINGLE_USE:
            return None
        if node.target not in called:
            called.add(node.target)
            return None
        return copy.deepcopy(child)
    if node.op in {"call_function", "call_method"} and node.target in _FUNCTIONS and node.args:
        try:
            return _FUNCTIONS[node.target](*node.args[1:], **node.kwargs)
        except TypeError:
            return None  # arguments the module does not know: the call stays
    return None


def _free_name(module: nn.Module, taken: dict[str, nn.Module]) -> str:
    number = 1
    while hasattr(module, f"activation_{number}") or f"activation_{number}" in taken:
        number += 1
    return f"activation_{number}"
