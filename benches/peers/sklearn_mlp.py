"""scikit-learn's MLPClassifier and MLPRegressor: Adam, without clipping, which they lack. One JSON line a workload."""
import warnings

import numpy
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from threadpoolctl import threadpool_limits

import common

args = common.flags(__doc__).parse_args()
if args.optimizer != "adam":
    raise SystemExit("scikit-learn: only adam is compared")
warnings.simplefilter("ignore", ConvergenceWarning)  # one epoch at a time never converges

for name in args.workload:
    layers, batch, rows, task = common.WORKLOADS[name]
    inputs, targets = common.arrays(numpy, layers, rows, task)
    kind = MLPClassifier if task == "classify" else MLPRegressor
    model = kind(hidden_layer_sizes=tuple(layers[1:-1]), batch_size=batch, alpha=0.0, max_iter=1, tol=0.0, warm_start=True)
    with threadpool_limits(args.threads):
        seconds = common.time_epochs(lambda: model.fit(inputs, targets.squeeze()), args.epochs)
    common.report("sklearn", sklearn.__version__, name, args, args.threads, seconds)
