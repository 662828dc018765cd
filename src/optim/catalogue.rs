//! Every optimizer by name, with its defaults in each dialect and its source: the one table that parsing and help share.

use super::algorithm::Algorithm;
use super::dialect::Dialect;
use super::{
    Adadelta, Adagrad, Adam, Adamax, Lamb, Lbfgs, Lion, Muon, NAdam, RAdam, RmsProp, Rprop, ScheduleFree, Sgd,
};

/// A name that `--optimizer` knows.
pub struct Entry {
    /// The name.
    pub name: &'static str,
    /// Where it was published.
    pub source: &'static str,
    /// The options in a dialect.
    algorithm: fn(Dialect) -> Algorithm,
    /// Learning rate and weight decay without a dialect.
    own: (f64, f64),
    /// The same by PyTorch, Keras and scikit-learn; none where the library lacks the optimizer.
    by_dialect: [Option<(f64, f64)>; 3],
}

/// No weight decay.
const fn rate(lr: f64) -> Option<(f64, f64)> {
    Some((lr, 0.0))
}

const ADAM: &str = "Kingma & Ba 2015, arxiv.org/abs/1412.6980";
const ADAMW: &str = "Loshchilov & Hutter 2019, arxiv.org/abs/1711.05101";
const AMSGRAD: &str = "Reddi et al. 2018, arxiv.org/abs/1904.09237";
const MOMENTUM: &str = "Polyak 1964; Sutskever et al. 2013, proceedings.mlr.press/v28/sutskever13.html";
const NESTEROV: &str = "Nesterov 1983; Sutskever et al. 2013, proceedings.mlr.press/v28/sutskever13.html";

/// All optimizers, in the order of the help.
pub const CATALOGUE: &[Entry] = &[
    Entry {
        name: "sgd",
        source: "Robbins & Monro 1951, doi.org/10.1214/aoms/1177729586",
        algorithm: |dialect| Algorithm::Sgd(Sgd::of(dialect)),
        own: (1e-2, 0.0),
        by_dialect: [rate(1e-3), rate(1e-2), rate(1e-3)],
    },
    Entry {
        name: "momentum",
        source: MOMENTUM,
        algorithm: |dialect| Algorithm::Sgd(Sgd { momentum: 0.9, nesterov: false, ..Sgd::of(dialect) }),
        own: (1e-2, 0.0),
        by_dialect: [rate(1e-3), rate(1e-2), rate(1e-3)],
    },
    Entry {
        name: "nesterov",
        source: NESTEROV,
        algorithm: |dialect| Algorithm::Sgd(Sgd { momentum: 0.9, nesterov: true, ..Sgd::of(dialect) }),
        own: (1e-2, 0.0),
        by_dialect: [rate(1e-3), rate(1e-2), rate(1e-3)],
    },
    Entry {
        name: "rmsprop",
        source: "Tieleman & Hinton 2012, lecture 6.5; centred: Graves 2013, arxiv.org/abs/1308.0850",
        algorithm: |dialect| Algorithm::RmsProp(RmsProp::of(dialect)),
        own: (1e-2, 0.0),
        by_dialect: [rate(1e-2), rate(1e-3), None],
    },
    Entry {
        name: "adam",
        source: ADAM,
        algorithm: |dialect| Algorithm::Adam(Adam::of(dialect)),
        own: (1e-3, 0.0),
        by_dialect: [rate(1e-3), rate(1e-3), rate(1e-3)],
    },
    Entry {
        name: "amsgrad",
        source: AMSGRAD,
        algorithm: |dialect| Algorithm::Adam(Adam { amsgrad: true, ..Adam::of(dialect) }),
        own: (1e-3, 0.0),
        by_dialect: [rate(1e-3), rate(1e-3), None],
    },
    Entry {
        name: "adamw",
        source: ADAMW,
        algorithm: |dialect| Algorithm::AdamW(Adam::of(dialect)),
        own: (1e-3, 1e-2),
        by_dialect: [Some((1e-3, 1e-2)), Some((1e-3, 4e-3)), None],
    },
    Entry {
        name: "nadam",
        source: "Dozat 2016, openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ",
        algorithm: |dialect| Algorithm::NAdam(NAdam::of(dialect)),
        own: (2e-3, 0.0),
        by_dialect: [rate(2e-3), rate(1e-3), None],
    },
    Entry {
        name: "radam",
        source: "Liu et al. 2020, arxiv.org/abs/1908.03265",
        algorithm: |_| Algorithm::RAdam(RAdam::default()),
        own: (1e-3, 0.0),
        by_dialect: [rate(1e-3), None, None],
    },
    Entry {
        name: "adamax",
        source: ADAM,
        algorithm: |dialect| Algorithm::Adamax(Adamax::of(dialect)),
        own: (2e-3, 0.0),
        by_dialect: [rate(2e-3), rate(1e-3), None],
    },
    Entry {
        name: "adagrad",
        source: "Duchi et al. 2011, jmlr.org/papers/v12/duchi11a.html",
        algorithm: |dialect| Algorithm::Adagrad(Adagrad::of(dialect)),
        own: (1e-2, 0.0),
        by_dialect: [rate(1e-2), rate(1e-3), None],
    },
    Entry {
        name: "adadelta",
        source: "Zeiler 2012, arxiv.org/abs/1212.5701",
        algorithm: |dialect| Algorithm::Adadelta(Adadelta::of(dialect)),
        own: (1.0, 0.0),
        by_dialect: [rate(1.0), rate(1e-3), None],
    },
    Entry {
        name: "rprop",
        source: "Riedmiller & Braun 1993; Igel & Hüsken 2003, doi.org/10.1016/S0925-2312(01)00700-7",
        algorithm: |_| Algorithm::Rprop(Rprop::default()),
        own: (1e-2, 0.0),
        by_dialect: [rate(1e-2), None, None],
    },
    Entry {
        name: "lion",
        source: "Chen et al. 2023, arxiv.org/abs/2302.06675",
        algorithm: |_| Algorithm::Lion(Lion::default()),
        own: (1e-4, 0.0),
        by_dialect: [None, rate(1e-3), None],
    },
    Entry {
        name: "schedulefree",
        source: "Defazio et al. 2024, arxiv.org/abs/2405.15682",
        algorithm: |_| Algorithm::ScheduleFree(ScheduleFree::default()),
        own: (2.5e-3, 0.0),
        by_dialect: [None, None, None],
    },
    Entry {
        name: "lamb",
        source: "You et al. 2020, arxiv.org/abs/1904.00962",
        algorithm: |dialect| Algorithm::Lamb(Lamb::of(dialect)),
        own: (1e-3, 0.0),
        by_dialect: [None, rate(1e-3), None],
    },
    Entry {
        name: "muon",
        source: "Jordan et al. 2024, kellerjordan.github.io/posts/muon",
        algorithm: |dialect| Algorithm::Muon(Muon::of(dialect)),
        own: (1e-3, 0.1),
        by_dialect: [Some((1e-3, 0.1)), Some((1e-3, 4e-3)), None],
    },
    Entry {
        name: "lbfgs",
        source: "Liu & Nocedal 1989, doi.org/10.1007/BF01589116",
        algorithm: |_| Algorithm::Lbfgs(Lbfgs::default()),
        own: (1.0, 0.0),
        by_dialect: [rate(1.0), None, None],
    },
];

/// The optimizer of this name.
pub fn find(name: &str) -> Option<&'static Entry> {
    CATALOGUE.iter().find(|entry| entry.name == name)
}

/// Every name.
pub fn names() -> Vec<&'static str> {
    CATALOGUE.iter().map(|entry| entry.name).collect()
}

impl Entry {
    /// Options, learning rate and weight decay that a dialect begins with; none where its library lacks the optimizer.
    pub(super) fn defaults(&self, dialect: Option<Dialect>) -> Option<(Algorithm, f64, f64)> {
        let (lr, weight_decay) = dialect.map_or(Some(self.own), |dialect| self.by_dialect[dialect as usize])?;
        Some(((self.algorithm)(dialect.unwrap_or(Dialect::Torch)), lr, weight_decay))
    }

    /// The dialects whose libraries have it.
    pub fn dialects(&self) -> impl Iterator<Item = Dialect> + '_ {
        Dialect::ALL.into_iter().filter(|dialect| self.by_dialect[*dialect as usize].is_some())
    }
}
