"""Tensors of requests, as columns of a table."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain, pairwise
from math import prod

import numpy as np

from housectl_server.endpoints.inference.binary_data import (
    SIZE_PARAMETER,
    BinaryData,
    read_binary_texts,
)
from housectl_server.endpoints.inference.messages import InputTensor
from housectl_server.model.columns import Columns, Floats, read_cells, read_numbers
from housectl_server.model.row_errors import MAX_NAME_LENGTH, InvalidRowError

BOOL, BYTES = "BOOL", "BYTES"

_Values = Floats | list[object]

_NUMBERS = {
    **{f"FP{bits}": np.dtype(f"<f{bits // 8}") for bits in (16, 32, 64)},
    **{f"INT{bits}": np.dtype(f"<i{bits // 8}") for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": np.dtype(f"<u{bits // 8}") for bits in (8, 16, 32, 64)},
}
_JSON_TYPES = {
    BOOL: frozenset({bool, int, type(None)}),
    BYTES: frozenset({str, type(None)}),
    **dict.fromkeys(_NUMBERS, frozenset({int, float, type(None)})),
}


def tensor_columns(
    tensors: Sequence[InputTensor], binary: BinaryData, features: Sequence[str]
) -> Columns:
    """Return the columns of one tensor of all features, or of one tensor per feature.

    Args:
        tensors: Tensors of a request.
        binary: Values of tensors that have none in JSON.
        features: Names of the features, in the order of the values of one tensor.

    Raises:
        InvalidRowError: A tensor is invalid, or the shapes do not fit.
    """
    width = len(features)
    values = [_read(tensor, binary) for tensor in tensors]
    if len(tensors) == 1 and tensors[0].shape[1:] == [width]:
        columns = {name: _column(values[0][place::width]) for place, name in enumerate(features)}
        return Columns(columns, count=tensors[0].shape[0])
    for tensor in tensors:
        if not tensor.shape or tensor.shape[1:] not in ([], [1]):
            raise _error(
                tensor,
                f"has the shape {tensor.shape}; expected are one tensor of [n, {width}], or one of "
                "[n] or [n, 1] per feature",
            )
    if len({tensor.shape[0] for tensor in tensors}) > 1:
        raise InvalidRowError("The inputs have different numbers of rows.")
    by_name = {tensor.name: _column(each) for tensor, each in zip(tensors, values, strict=True)}
    if len(by_name) < len(tensors):
        raise InvalidRowError("Two inputs have the same name.")
    return Columns(by_name, count=tensors[0].shape[0] if tensors else 0)


def _column(values: _Values) -> Callable[..., Floats]:
    read = read_numbers if isinstance(values, np.ndarray) else read_cells
    return partial(read, values)  # type: ignore[arg-type]


def _read(tensor: InputTensor, binary: BinaryData) -> _Values:
    """Return the values of a tensor in row-major order: doubles, or cells of texts or booleans."""
    if tensor.datatype not in _JSON_TYPES:
        raise _error(tensor, f"has none of the datatypes {', '.join(_JSON_TYPES)}")
    size = (tensor.parameters or {}).get(SIZE_PARAMETER)
    values = _read_json(tensor) if size is None else _read_binary(tensor, binary.take(size))
    if len(values) != prod(tensor.shape):
        raise _error(tensor, f"has {len(values)} values, which its shape {tensor.shape} has not")
    return values


def _read_json(tensor: InputTensor) -> _Values:
    cells = _flat(tensor)
    if not _JSON_TYPES[tensor.datatype].issuperset(map(type, cells)):
        raise _error(tensor, f"has a value that is not of its datatype {tensor.datatype}")
    if tensor.datatype == BYTES:
        return cells
    try:
        values = np.array(cells, dtype=np.float64)
    except OverflowError as error:
        raise _error(tensor, "has a value that is too large") from error
    if tensor.datatype == BOOL:
        return _booleans(tensor, values)
    return _as_datatype(tensor, values)


def _flat(tensor: InputTensor) -> list[object]:
    """Return the values of nested or flat data."""
    if tensor.data is None:
        raise _error(tensor, "has no data")
    values: list[object] = tensor.data
    for _, size in pairwise(tensor.shape):
        if not values or not isinstance(values[0], list):
            break
        if not all(isinstance(each, list) and len(each) == size for each in values):
            raise _error(tensor, f"has data of another shape than {tensor.shape}")
        values = list(chain.from_iterable(values))  # type: ignore[arg-type]
    return values


def _booleans(tensor: InputTensor, values: Floats) -> list[object]:
    missing = np.isnan(values)
    if not np.isin(values[~missing], (0, 1)).all():
        raise _error(tensor, "has a value that is not true or false")
    return [None if value != value else bool(value) for value in values]  # noqa: PLR0124  # NaN


def _as_datatype(tensor: InputTensor, values: Floats) -> Floats:
    """Return values rounded to a float's precision; those of an integer must be in its range."""
    dtype = _NUMBERS[tensor.datatype]
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return values.astype(dtype).astype(np.float64)
    present, limits = values[~np.isnan(values)], np.iinfo(dtype)
    is_whole = (present == np.rint(present)) & (present >= limits.min) & (present <= limits.max)
    if not is_whole.all():
        raise _error(tensor, f"has a value that is not of its datatype {tensor.datatype}")
    return values


def _read_binary(tensor: InputTensor, data: bytes) -> _Values:
    if tensor.datatype == BYTES:
        return read_binary_texts(data)
    if tensor.datatype == BOOL:
        return [bool(each) for each in data]
    dtype = _NUMBERS[tensor.datatype]
    if len(data) % dtype.itemsize:
        raise _error(tensor, f"has data that is not of its datatype {tensor.datatype}")
    return np.frombuffer(data, dtype).astype(np.float64)


def _error(tensor: InputTensor, problem: str) -> InvalidRowError:
    return InvalidRowError(f"The input {tensor.name[:MAX_NAME_LENGTH]} {problem}.")
