import math
import struct
from array import array

from housectl.contract.data.row_texts import RowTexts, count_distinct

NUMBERS = array("d", [0.1, -0.0, 0.0, 1e16, math.nan, 0.1])
TEXTS = ("a", "b", "b", "", "it's", "a")


def test_text_of_a_row_is_the_repr_of_its_values() -> None:
    texts = RowTexts([NUMBERS, TEXTS])
    expected = ["0.1,'a'", "-0.0,'b'", "0.0,'b'", "1e+16,''", 'nan,"it\'s"', "0.1,'a'"]
    assert list(texts) == expected
    assert [texts[index] for index in range(len(texts))] == expected
    assert list(texts[1:3]) == expected[1:3]


def test_equal_rows_count_once() -> None:
    assert RowTexts([NUMBERS, TEXTS]).distinct == 5
    assert RowTexts([NUMBERS]).distinct == 5
    assert count_distinct(list(RowTexts([TEXTS]))) == RowTexts([TEXTS]).distinct == 4


def test_all_missing_values_are_equal() -> None:
    (other,) = struct.unpack("<d", struct.pack("<Q", 0xFFF8_0000_0000_0001))
    assert math.isnan(other)
    assert RowTexts([array("d", [math.nan, other])]).distinct == 1


def test_the_order_of_the_columns_matters() -> None:
    one, other = array("d", range(1000)), array("d", reversed(range(1000)))
    assert RowTexts([array("d", [*one, *other]), array("d", [*other, *one])]).distinct == 1000
    assert RowTexts([one, other]).distinct == 1000
