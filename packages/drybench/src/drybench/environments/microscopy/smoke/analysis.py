"""The libraries together, in a notebook that the runner carries out."""

from __future__ import annotations

import subprocess
import sys

CODE = """
%matplotlib widget
import matplotlib.pyplot as plt, numba, numpy as np, pandas as pd, seaborn as sns, tables
from skimage import data, filters, measure
from sklearn.cluster import KMeans

coins = data.coins()
regions = measure.regionprops(measure.label(coins > filters.threshold_otsu(coins)))
areas = np.array([region.area for region in regions if region.area > 100], dtype=float)

@numba.njit(cache=False)
def total(numbers):
    counted = 0.0
    for number in numbers:
        counted += number
    return counted

assert total(areas) == areas.sum()
groups = KMeans(2, n_init=1, random_state=0).fit_predict(areas.reshape(-1, 1))
sns.histplot(pd.DataFrame({'area': areas, 'group': groups}), x='area', hue='group')
plt.show()
with tables.open_file('/tmp/areas.h5', 'w') as file:
    file.create_array('/', 'areas', areas)
with tables.open_file('/tmp/areas.h5') as file:
    print('regions', len(file.root.areas[:]))
"""

runner = "/opt/drybench/smoke/base/notebook.py"
sys.exit(subprocess.call([sys.executable, runner, "python3", CODE, "regions "]))
