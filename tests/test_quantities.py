"""Kubernetes quantities as numbers and as text."""

from decimal import Decimal

import pytest

from housectl.quantities import (
    double_quantity,
    format_bytes,
    format_mebibytes,
    parse_quantity,
    readable_quantity,
)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", "0"),
        ("2", "2"),
        ("0.5", "0.5"),
        (".5", "0.5"),
        ("1.", "1"),
        ("500m", "0.5"),
        ("250u", "0.00025"),
        ("7n", "0.000000007"),
        ("3k", "3000"),
        ("1.5G", "1500000000"),
        ("4Gi", str(4 * 2**30)),
        ("1.5Ki", "1536"),
        ("2e3", "2000"),
        ("1E-2", "0.01"),
        ("1E", str(10**18)),
        ("1Ei", str(2**60)),
        ("-1", "-1"),
    ],
)
def test_parse_quantity(text: str, number: str) -> None:
    assert parse_quantity(text) == Decimal(number)


@pytest.mark.parametrize("text", ["", "Gi", "4Q", "4 Gi", "4GiB", "1e", "1e3Gi", "nan", "m5"])
def test_parse_quantity_refuses_other_text(text: str) -> None:
    with pytest.raises(ValueError, match="is not a quantity"):
        parse_quantity(text)


@pytest.mark.parametrize(
    ("size", "text"), [(2**32, "4Gi"), (3 * 2**29, "1536Mi"), (1000, "1000"), (0, "0Gi")]
)
def test_format_bytes_is_exact(size: int, text: str) -> None:
    assert format_bytes(size) == text
    assert parse_quantity(text) == size


def test_quantities_for_people() -> None:
    assert format_mebibytes(100 * 2**20) == "100 MiB"
    assert readable_quantity(str(2**32)) == "4Gi"
    assert readable_quantity(str(10**9)) == "954Mi"
    assert readable_quantity("512M") == "512M"


@pytest.mark.parametrize(
    ("text", "twice"), [("4Gi", "8Gi"), ("1.5Gi", "3Gi"), ("100Mi", "200Mi"), ("67108864", "128Mi")]
)
def test_double_quantity_keeps_the_unit(text: str, twice: str) -> None:
    assert double_quantity(text) == twice
