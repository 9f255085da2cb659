"""Changes of the text of katib-config.yaml that leave every other byte as it is. Pure."""

import json
from typing import TYPE_CHECKING

from housectl.backends.katib.registration.entry import Entry

if TYPE_CHECKING:
    from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

_NAME = "algorithmName"
_Config = dict[str, dict[str, list[Entry]]]


class ConfigTextError(ValueError):
    """The text is not a configuration in which an algorithm can be registered."""


def with_algorithm(text: str, entry: Entry) -> str:
    """Return the text with an entry among `runtime.suggestions`; others keep their bytes.

    Args:
        text: Content of katib-config.yaml.
        entry: Replaces the entry of the same algorithm, if there is one.

    Raises:
        ConfigTextError: The text is not YAML, has no list of algorithms, or has a form in which
            the entry cannot be inserted.
    """
    key, suggestions = _suggestions(text)
    expected = _load(text)
    entries = expected["runtime"]["suggestions"]
    index = _index_of(entries, str(entry[_NAME]))
    if index is None:
        changed = _insert(text, key, suggestions, entry)
        entries.insert(0, entry)
    elif entries[index] == entry:
        return text
    else:
        changed = _replace(text, suggestions, suggestions.value[index], entry)
        entries[index] = entry
    if not _has_content(changed, expected):
        raise ConfigTextError("its list of algorithms has an unusual form")
    return changed


def image_of_algorithm(text: str, name: str) -> str | None:
    """Return the image of an algorithm in the text; None if the text does not have it.

    Raises:
        ConfigTextError: The text is not YAML, or has no list of algorithms.
    """
    _suggestions(text)
    entries = _load(text)["runtime"]["suggestions"]
    index = _index_of(entries, name)
    image = None if index is None else entries[index].get("image")
    return str(image) if image else None


def _load(text: str) -> "_Config":
    import yaml

    config: _Config = yaml.safe_load(text)
    return config


def _has_content(text: str, expected: "_Config") -> bool:
    import yaml

    try:
        return _load(text) == expected
    except yaml.YAMLError:
        return False


def _suggestions(text: str) -> "tuple[ScalarNode, SequenceNode]":
    """Return the list of algorithms with its key."""
    import yaml
    from yaml.nodes import MappingNode, SequenceNode

    try:
        root: Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ConfigTextError("its text is no valid YAML") from error
    _, runtime = _item(root, "runtime")
    key, suggestions = _item(runtime, "suggestions")
    if key is None or not isinstance(suggestions, SequenceNode):
        raise ConfigTextError("it has no list `runtime.suggestions`")
    if not all(isinstance(item, MappingNode) for item in suggestions.value):
        raise ConfigTextError("an entry of `runtime.suggestions` is no mapping")
    return key, suggestions


def _item(mapping: "Node | None", name: str) -> "tuple[ScalarNode | None, Node | None]":
    """Return the key and the value of a mapping's item."""
    from yaml.nodes import MappingNode

    items = mapping.value if isinstance(mapping, MappingNode) else ()
    return next(((key, value) for key, value in items if key.value == name), (None, None))


def _index_of(entries: "list[Entry]", algorithm: str) -> int | None:
    names = [each.get(_NAME) for each in entries]
    return names.index(algorithm) if algorithm in names else None


def _insert(text: str, key: "ScalarNode", suggestions: "SequenceNode", entry: Entry) -> str:
    """Insert an entry before the others, with the indentation of their dashes."""
    start = suggestions.start_mark
    if suggestions.flow_style:
        separator = ", " if suggestions.value else ""
        return _splice(text, start.index + 1, start.index + 1, json.dumps(entry) + separator)
    # The comments above the first entry stay with it.
    line_end = text.index("\n", key.end_mark.index) + 1
    block = _block(text, entry, indentation=start.column)
    return _splice(text, line_end, line_end, block)


def _replace(text: str, suggestions: "SequenceNode", item: "MappingNode", entry: Entry) -> str:
    start = item.start_mark
    if suggestions.flow_style or item.flow_style:
        return _splice(text, start.index, item.end_mark.index, json.dumps(entry))
    block = _block(text, entry, indentation=start.column - 2).strip()
    return _splice(text, start.index, _end_of(text, item), block.removeprefix("- "))


def _end_of(text: str, node: "Node") -> int:
    """Return the end of a node without the comments and blank lines after it."""
    from yaml.nodes import CollectionNode

    if not isinstance(node, CollectionNode) or node.flow_style:
        return len(text[: node.end_mark.index].rstrip())
    last = node.value[-1]
    return _end_of(text, last[1] if isinstance(last, tuple) else last)


def _block(text: str, entry: Entry, *, indentation: int) -> str:
    """Return an entry of a list as lines with the line ends of the text."""
    import yaml

    newline = "\r\n" if "\r\n" in text else "\n"
    lines = yaml.safe_dump([dict(entry)], sort_keys=False).splitlines()
    return "".join(f"{' ' * indentation}{line}{newline}" for line in lines)


def _splice(text: str, start: int, end: int, new: str) -> str:
    return text[:start] + new + text[end:]
