"""Edits of ONNX models that housectl would never write: other operators, fields and attributes."""

from collections.abc import Callable

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_ENSEMBLE = 4

ModelEdit = Callable[[onnx.ModelProto], object]


def attribute(model: onnx.ModelProto, name: str) -> onnx.AttributeProto:
    return next(each for each in model.graph.node[_ENSEMBLE].attribute if each.name == name)


def put_before_trees(model: onnx.ModelProto, *nodes: onnx.NodeProto) -> None:
    """Insert nodes before the trees, whose input is the last output of the nodes."""
    trees = model.graph.node.pop()
    trees.input[0] = nodes[-1].output[0]
    model.graph.node.extend([*nodes, trees])


def add_loop(model: onnx.ModelProto) -> None:
    """Add a loop that never ends."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["condition"], ["again"])],
        "body",
        [
            helper.make_tensor_value_info("number", TensorProto.INT64, []),
            helper.make_tensor_value_info("condition", TensorProto.BOOL, []),
        ],
        [helper.make_tensor_value_info("again", TensorProto.BOOL, [])],
    )
    model.graph.initializer.append(numpy_helper.from_array(np.array(True), "true"))
    put_before_trees(
        model,
        helper.make_node("Loop", ["", "true"], [], body=body),
        helper.make_node("Identity", ["both"], ["same"]),
    )


def add_large_constant(model: onnx.ModelProto) -> None:
    """Add an array of 4 GiB."""
    model.graph.initializer.append(numpy_helper.from_array(np.array([2**29]), "size"))
    put_before_trees(
        model,
        helper.make_node("ConstantOfShape", ["size"], ["large"]),
        helper.make_node("Identity", ["both"], ["same"]),
    )


def add_mean_of_batch(model: onnx.ModelProto) -> None:
    """Subtract the mean of all rows of the batch."""
    put_before_trees(
        model,
        helper.make_node("ReduceMean", ["both"], ["mean"], keepdims=1),
        helper.make_node("Sub", ["both", "mean"], ["centred"]),
    )


def make_external(model: onnx.ModelProto) -> None:
    """Let the weights be read from a file of the working directory."""
    tensor = attribute(model, "leaf_weights").t
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="weights.bin")


def move_weights(model: onnx.ModelProto) -> None:
    """Put the weights into another field of their tensor."""
    tensor = attribute(model, "leaf_weights").t
    weights = numpy_helper.to_array(tensor)
    tensor.CopyFrom(helper.make_tensor("", TensorProto.DOUBLE, weights.shape, weights))


def call_function(model: onnx.ModelProto) -> None:
    """Replace the first operator by a function of the model."""
    model.opset_import.append(helper.make_opsetid("own", 1))
    body = [helper.make_node("Cast", ["x"], ["y"], to=TensorProto.FLOAT)]
    opsets = [helper.make_opsetid("", 18)]
    model.functions.append(helper.make_function("own", "Cast", ["x"], ["y"], body, opsets))
    model.graph.node[0].domain = "own"


def swap_operators(model: onnx.ModelProto) -> None:
    first, second = (onnx.NodeProto.FromString(n.SerializeToString()) for n in model.graph.node[:2])
    model.graph.node[0].CopyFrom(second)
    model.graph.node[1].CopyFrom(first)


MODEL_EDITS: dict[str, ModelEdit] = {
    "loop": add_loop,
    "large constant": add_large_constant,
    "batch": add_mean_of_batch,
    "external data": make_external,
    "function": call_function,
    "unused function": lambda model: model.functions.add(name="f", domain="own"),
    "operators swapped": swap_operators,
    "operator removed": lambda model: model.graph.node.pop(2),
    "no operator": lambda model: model.graph.ClearField("node"),
    "no graph": lambda model: model.ClearField("graph"),
    "other operator": lambda model: setattr(model.graph.node[2], "op_type", "Abs"),
    "other domain": lambda model: setattr(model.graph.node[_ENSEMBLE], "domain", "ai.onnx"),
    "named operator": lambda model: setattr(model.graph.node[2], "name", "n"),
    "optional output": lambda model: model.graph.node[2].output.append("more"),
    "opset version": lambda model: setattr(model.opset_import[0], "version", 21),
    "opsets swapped": lambda model: model.opset_import.reverse(),
    "another opset": lambda model: model.opset_import.add(domain="com.microsoft", version=1),
    "IR version": lambda model: setattr(model, "ir_version", 10),
    "producer": lambda model: setattr(model, "producer_name", "other"),
    "metadata": lambda model: model.metadata_props.add(key="k", value="v"),
    "documentation": lambda model: setattr(model.graph, "doc_string", "text"),
    "training": lambda model: model.training_info.add(),
    "initializer": lambda model: model.graph.initializer.append(
        numpy_helper.from_array(np.zeros(1), "zero")
    ),
    "quantization": lambda model: model.graph.quantization_annotation.add(tensor_name="rows"),
    "another output": lambda model: model.graph.output.append(
        helper.make_tensor_value_info("rounded", TensorProto.DOUBLE, None)
    ),
    "input type": lambda model: setattr(
        model.graph.input[0].type.tensor_type, "elem_type", TensorProto.FLOAT
    ),
    "fixed batch": lambda model: setattr(
        model.graph.input[0].type.tensor_type.shape.dim[0], "dim_value", 1
    ),
    "width": lambda model: setattr(
        model.graph.input[0].type.tensor_type.shape.dim[1], "dim_value", 40
    ),
    "attribute name": lambda model: setattr(attribute(model, "nodes_modes"), "name", "modes"),
    "attribute removed": lambda model: model.graph.node[_ENSEMBLE].attribute.pop(),
    "attribute added": lambda model: model.graph.node[_ENSEMBLE].attribute.append(
        helper.make_attribute("post_transform", 0)
    ),
    "attribute twice": lambda model: model.graph.node[_ENSEMBLE].attribute.append(
        attribute(model, "tree_roots")
    ),
    "attribute type": lambda model: setattr(attribute(model, "n_targets"), "type", 7),
    "two targets": lambda model: setattr(attribute(model, "n_targets"), "i", 2),
    "minimum of trees": lambda model: setattr(attribute(model, "aggregate_function"), "i", 2),
    "comparison": lambda model: setattr(
        attribute(model, "nodes_modes").t,
        "raw_data",
        b"\x04" * len(attribute(model, "nodes_modes").t.raw_data),
    ),
    "target": lambda model: attribute(model, "leaf_targetids").ints.__setitem__(0, 1),
    "targets": lambda model: attribute(model, "leaf_targetids").ints.pop(),
    "modes": lambda model: attribute(model, "nodes_modes").CopyFrom(
        helper.make_attribute("nodes_modes", numpy_helper.from_array(np.zeros(3, dtype=np.uint8)))
    ),
    "tensor shape": lambda model: attribute(model, "leaf_weights").t.dims.append(1),
    "tensor type": lambda model: setattr(
        attribute(model, "leaf_weights").t, "data_type", TensorProto.INT64
    ),
    "tensor name": lambda model: setattr(attribute(model, "leaf_weights").t, "name", "w"),
    "tensor in another field": move_weights,
    "negative number": lambda model: attribute(model, "nodes_truenodeids").ints.__setitem__(0, -1),
    "large number": lambda model: attribute(model, "nodes_truenodeids").ints.__setitem__(0, 2**40),
    "flag": lambda model: attribute(model, "nodes_trueleafs").ints.__setitem__(0, 2),
}
