"""TabM-mini with piecewise-linear embeddings: the packages tabm and rtdl_num_embeddings with the recipe that TabArena uses.

Embeddings: 48 quantile bins, 16 features a number, version B without activation. Network: 32 members, three blocks of 512 units,
dropout 0.1. Training: AdamW with a rate of 0.002 and a weight decay of 0.0003 (biases and the linear part of the embeddings have
none), gradient norm of at most 1, batches of each member's own, batch size by the number of rows, patience 16. Numbers:
quantile-to-normal, fitted with noise. Categories: one-hot, with one more level for values that training did not see. Targets are
standardised. The validation part is a fifth of the rows, stratified by class; the epoch with the best judged figure is kept.
"""
import math

import numpy as np
import pandas as pd
import rtdl_num_embeddings
import sklearn.model_selection
import sklearn.preprocessing
import tabm
import torch

BATCHES = [(2_800, 32), (4_500, 64), (6_400, 128), (32_000, 256), (108_000, 512), (math.inf, 1024)]
PATIENCE = 16


class Inputs:
    """Preprocessing fitted on the training part: numbers scaled, categories as codes."""

    def __init__(self, x, seed):
        self.numbers = [name for name in x.columns if not isinstance(x[name].dtype, pd.CategoricalDtype)]
        self.numbers = [name for name in self.numbers if x[name].max() - x[name].min() > 1e-6]
        self.categories = [name for name in x.columns if isinstance(x[name].dtype, pd.CategoricalDtype)]
        # One code more than levels, for values that training did not see.
        self.cardinalities = [len(x[name].cat.categories) + 1 for name in self.categories]
        if self.numbers:
            values = x[self.numbers].to_numpy(np.float64)
            noise = 1e-3 / np.maximum(values.std(axis=0), 1e-3)
            noisy = values + np.random.default_rng(seed).normal(size=values.shape) * noise
            quantiles = max(min(len(x) // 30, 1000), 10)
            self.scale = sklearn.preprocessing.QuantileTransformer(
                n_quantiles=quantiles, output_distribution="normal", subsample=1_000_000_000, random_state=seed
            ).fit(noisy)

    def __call__(self, x):
        numbers = codes = None
        if self.numbers:
            numbers = torch.tensor(self.scale.transform(x[self.numbers].to_numpy(np.float64)), dtype=torch.float32)
        if self.categories:
            columns = [x[name].cat.codes.to_numpy(np.int64) for name in self.categories]
            columns = [np.where(column < 0, count - 1, column) for column, count in zip(columns, self.cardinalities)]
            codes = torch.tensor(np.stack(columns, axis=1))
        return numbers, codes


def rows(part, at):
    return tuple(None if tensor is None else tensor[at] for tensor in part)


class TabMMini:
    def __init__(self, regression, judge, seed, threads):
        self.regression, self.judge, self.seed = regression, judge, seed
        torch.set_num_threads(threads)

    def network(self, x):
        embeddings = None
        if self.inputs.numbers:
            # A column of which the transform leaves one value in the training part would have no bins; Inputs has dropped it.
            bins = rtdl_num_embeddings.compute_bins(x[0], n_bins=min(48, len(x[0]) - 1))
            embeddings = rtdl_num_embeddings.PiecewiseLinearEmbeddings(bins, 16, activation=False, version="B")
        return tabm.TabM.make(
            n_num_features=len(self.inputs.numbers),
            cat_cardinalities=self.inputs.cardinalities,
            d_out=1 if self.regression else len(self.classes_),
            num_embeddings=embeddings,
            arch_type="tabm-mini",
            k=32,
            n_blocks=3,
            d_block=512,
            dropout=0.1,
        )

    def groups(self):
        """Parameters with and without weight decay."""
        spared = {
            parameter
            for module in self.model.modules()
            for name, parameter in module.named_parameters(recurse=False)
            if name.endswith("bias") or isinstance(module, rtdl_num_embeddings.LinearEmbeddings)
        }
        others = [parameter for parameter in self.model.parameters() if parameter not in spared]
        return [dict(params=others), dict(params=list(spared), weight_decay=0.0)]

    def average(self, part):
        """The mean of the members' probabilities, or of their numbers in the target's units."""
        self.model.eval()
        count = len(next(tensor for tensor in part if tensor is not None))
        with torch.inference_mode():
            said = torch.cat([self.model(*rows(part, at)) for at in torch.arange(count).split(1024)])
        if self.regression:
            return (said.mean(dim=1).squeeze(-1) * self.deviation + self.mean).double().numpy()
        return said.double().softmax(dim=-1).mean(dim=1).numpy()

    def figure(self, part, y):
        """The judged figure of the average; less is better."""
        said = self.average(part)
        if self.regression:
            return float(np.mean((said - y) ** 2))
        if self.judge == "score":
            return float(np.mean(said.argmax(axis=1) != y))
        return float(-np.log(np.clip(said[np.arange(len(y)), y], 1e-15, 1)).mean())

    def fit(self, x, y):
        torch.manual_seed(self.seed)
        y = np.asarray(y)
        if not self.regression:
            self.classes_, y = np.unique(y, return_inverse=True)
        train, valid = sklearn.model_selection.train_test_split(
            np.arange(len(x)), test_size=0.2, random_state=self.seed, stratify=None if self.regression else y
        )
        self.inputs = Inputs(x.iloc[train], self.seed)
        part, held = self.inputs(x.iloc[train]), self.inputs(x.iloc[valid])
        if self.regression:
            self.mean, self.deviation = float(y[train].mean()), float(y[train].std()) + 1e-30
            goal = torch.tensor((y[train] - self.mean) / self.deviation, dtype=torch.float32)
        else:
            goal = torch.tensor(y[train])
        self.model = self.network(part)
        optimizer = torch.optim.AdamW(self.groups(), lr=2e-3, weight_decay=3e-4)
        batch = next(size for limit, size in BATCHES if len(train) < limit)
        best, best_epoch, epoch, bad, kept = math.inf, 0, 0, 0, None
        while bad <= PATIENCE:
            epoch += 1
            self.model.train()
            # A column for each member: an order of its own.
            orders = torch.rand(len(train), self.model.k).argsort(dim=0)
            for at in orders.split(batch):
                said = self.model(*rows(part, at)).flatten(0, 1)
                wanted = goal[at].flatten()
                if self.regression:
                    loss = torch.nn.functional.mse_loss(said.squeeze(-1), wanted)
                else:
                    loss = torch.nn.functional.cross_entropy(said, wanted)
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
                optimizer.step()
            figure = self.figure(held, y[valid])
            if figure < best:
                best, best_epoch, bad = figure, epoch, 0
                kept = {name: tensor.clone() for name, tensor in self.model.state_dict().items()}
            else:
                bad += 1
        self.model.load_state_dict(kept)
        self.record = dict(epochs=epoch, best_epoch=best_epoch)
        return self

    def predict(self, x):
        return self.average(self.inputs(x))

    def predict_proba(self, x):
        return self.average(self.inputs(x))
