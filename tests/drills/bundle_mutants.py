"""Altered copies of valid bundles, chosen by a random generator."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import numpy as np
import onnx

from housectl.contract.columns import Expansion
from housectl.contract.graph.format import decode_graph, encode_graph
from housectl.contract.graph.tree_graph import MAX_DEPTH
from tests.contract.bundle_files import digest_of_record, with_new_digests, write_files
from tests.contract.graphs import COLUMNS, chain
from tests.contract.hostile_models import MODEL_EDITS
from tests.drills.bundle_bases import Bases
from tests.drills.file_kinds import REPLACEMENTS
from tests.drills.json_edits import with_edited_value

RECORDS = ("bundle.json", "golden.json", "metrics.json")
MODEL = "model.onnx"


@dataclass(frozen=True)
class Mutant:
    """An altered bundle.

    Attributes:
        digest: Name of its directory.
        files: Content of the files by name.
        replace: Replaces a file by something else after all files were written.
    """

    digest: str
    files: Mapping[str, bytes]
    replace: Callable[[Path], object] = lambda _: None

    def write(self, bundles: Path) -> Path:
        """Write the bundle into the folder of a store, and return its directory."""
        directory = bundles / self.digest
        write_files(directory, self.files)
        self.replace(directory)
        return directory


Mutation = Callable[[Random, Bases], Mutant]


def _as_is(files: Mapping[str, bytes], digest: str) -> Mutant:
    return Mutant(digest=digest, files=files)


def _digest(files: Mapping[str, bytes]) -> str:
    return digest_of_record(files["bundle.json"])


def _consistent(files: Mapping[str, bytes]) -> Mutant:
    """Return a mutant whose record has the right digests."""
    changed = with_new_digests(files)
    return Mutant(digest=_digest(changed), files=changed)


def _unchanged(random: Random, bases: Bases) -> Mutant:
    return _consistent(bases.choose(random))


def _damage(random: Random, data: bytes) -> bytes:
    """Return the bytes with a random damage: flipped bits, or a removed or overwritten part."""
    start, size = random.randrange(len(data) + 1), random.randrange(1, 64)
    match random.randrange(4):
        case 0:
            changed = bytearray(data)
            for _ in range(random.choice((1, 1, 2, 16))):
                changed[random.randrange(len(data))] ^= 1 << random.randrange(8)
            return bytes(changed)
        case 1:
            return data[:start]
        case 2:
            return data[:start] + random.randbytes(size) + data[start + size :]
        case _:
            return data[:start] + data[start + size :] + random.randbytes(random.choice((0, size)))


def _damaged_file(random: Random, bases: Bases) -> Mutant:
    files = bases.choose(random)
    digest = _digest(files)
    name = random.choice(list(files))
    return _as_is({**files, name: _damage(random, files[name])}, digest)


def _damaged_graph(random: Random, bases: Bases) -> Mutant:
    files = bases.choose(random)
    return _consistent({**files, MODEL: _damage(random, files[MODEL])})


def _missing_file(random: Random, bases: Bases) -> Mutant:
    files = bases.choose(random)
    digest = _digest(files)
    files.pop(random.choice(list(files)))
    return _as_is(files, digest)


def _swapped_files(random: Random, bases: Bases) -> Mutant:
    files = bases.choose(random)
    digest = _digest(files)
    first, second = random.sample(list(files), 2)
    swapped = {**files, first: files[second], second: files[first]}
    if "bundle.json" in {first, second} or random.random() < 0.5:
        return _as_is(swapped, digest)
    return _consistent(swapped)


def _file_of_another_bundle(random: Random, bases: Bases) -> Mutant:
    files, other = bases.choose(random), bases.choose(random)
    digest = _digest(files)
    name = random.choice(list(files))
    mixed = {**files, name: other[name]}
    return _as_is(mixed, digest) if random.random() < 0.3 else _consistent(mixed)


def _edited_model(random: Random, bases: Bases) -> Mutant:
    """Edit the graph with the onnx package: other operators, attributes, fields."""
    files = bases.choose(random)
    model = onnx.load_from_string(files[MODEL])
    MODEL_EDITS[random.choice(list(MODEL_EDITS))](model)
    return _consistent({**files, MODEL: model.SerializeToString(deterministic=True)})


def _edited_trees(random: Random, bases: Bases) -> Mutant:
    """Change one number of the trees."""
    files = bases.choose(random)
    expansion = Expansion.plain(len(json.loads(files["golden.json"])["features"]))
    graph = decode_graph(files[MODEL], expansion=expansion)
    arrays = ("roots", "features", "thresholds", "missing_at_most", "weights", "at_most", "above")
    field = random.choice(arrays)
    if field in {"at_most", "above"}:
        branch = getattr(graph, field)
        side = random.choice(("children", "are_leaves"))
        value = replace(branch, **{side: _with_random_number(random, getattr(branch, side))})
    else:
        value = _with_random_number(random, getattr(graph, field))
    return _consistent(
        {**files, MODEL: encode_graph(replace(graph, **{field: value}), expansion=expansion)}
    )


def _deep_tree(random: Random, bases: Bases) -> Mutant:
    """Use a tree that overflows the stack of a recursive reader."""
    depth = random.choice((MAX_DEPTH + 1, 20_000, 200_000))
    return _consistent(
        {**bases.bundles[1], MODEL: encode_graph(chain(depth), expansion=Expansion.plain(COLUMNS))}
    )


def _with_random_number(random: Random, array: np.ndarray) -> np.ndarray:
    numbers = {
        "f": (np.nan, np.inf, -np.inf, 1e308, -1e308, 0.0, random.gauss(0, 1)),
        "i": (0, 1, len(array), 2**28 - 1, random.randrange(2 * len(array))),
        "b": (True, False),
    }
    changed = array.copy()
    changed[random.randrange(len(array))] = random.choice(numbers[array.dtype.kind])
    if random.random() < 0.1:
        return changed[: random.randrange(len(array))]
    return changed


def _edited_json(random: Random, bases: Bases) -> Mutant:
    """Replace, remove or add a value in a record."""
    files = bases.choose(random)
    name = random.choice(RECORDS)
    digest = _digest(files)
    text = with_edited_value(random, json.loads(files[name])).encode(errors="replace")
    if name != "bundle.json":
        return _consistent({**files, name: text})
    with suppress(ValueError, KeyError, TypeError, RecursionError):
        digest = digest_of_record(text)
    return _as_is({**files, name: text}, digest)


def _ragged_golden(random: Random, bases: Bases) -> Mutant:
    files = bases.choose(random)
    golden = json.loads(files["golden.json"])
    row = random.choice(golden["rows"])["row"]
    del row[random.randrange(len(row)) :]
    row.extend([0.5] * random.choice((0, len(golden["features"]), 50_000)))
    return _consistent({**files, "golden.json": json.dumps(golden).encode()})


def _other_version(random: Random, bases: Bases) -> Mutant:
    files = bases.choose(random)
    name = random.choice(RECORDS)
    document = json.loads(files[name])
    document["schema_version"] = random.choice((2, -5, 0, 2**80, "1", 1.0, True, None))
    changed = {**files, name: json.dumps(document).encode()}
    return Mutant(digest=_digest(with_new_digests(changed)), files=with_new_digests(changed))


def _other_kind_of_file(random: Random, bases: Bases) -> Mutant:
    files = bases.choose(random)
    name, make = random.choice(list(files)), random.choice(REPLACEMENTS)
    return Mutant(_digest(files), files, replace=lambda directory: make(directory / name))


MUTATIONS: Mapping[str, Mutation] = {
    "unchanged": _unchanged,
    "damaged file": _damaged_file,
    "damaged graph": _damaged_graph,
    "missing file": _missing_file,
    "swapped files": _swapped_files,
    "file of another bundle": _file_of_another_bundle,
    "edited model": _edited_model,
    "edited trees": _edited_trees,
    "deep tree": _deep_tree,
    "edited JSON": _edited_json,
    "ragged golden rows": _ragged_golden,
    "other version": _other_version,
    "other kind of file": _other_kind_of_file,
}
_WEIGHTS = (1, 6, 6, 1, 2, 2, 6, 8, 1, 10, 2, 2, 4)


def make_mutant(seed: int, number: int, bases: Bases) -> tuple[str, Mutant]:
    """Return an altered bundle and the name of its mutation; equal arguments give equal ones."""
    random = Random(f"{seed}/{number}")
    [name] = random.choices(list(MUTATIONS), weights=_WEIGHTS)
    return name, MUTATIONS[name](random, bases)
