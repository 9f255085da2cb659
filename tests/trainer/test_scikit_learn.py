import subprocess
import sys

STATEMENTS = """
import sys
from housectl.contract.families import Family
from housectl_trainer.model_family import load_family

for family in Family:
    load_family(family)
assert "sklearn" in sys.modules
assert "pandas" not in sys.modules
assert "scipy.stats" not in sys.modules
import pandas
from sklearn.metrics import label_ranking_average_precision_score as uses_statistics
assert uses_statistics([[1, 0]], [[0.9, 0.1]]) == 1.0
import scipy.stats
assert scipy.stats.norm.cdf(0) == 0.5
"""


def test_trainer_leaves_out_libraries_and_a_family_can_still_import_them() -> None:
    subprocess.run([sys.executable, "-c", STATEMENTS], check=True)
