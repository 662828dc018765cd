//! Optimizers that are special cases or limits of others.

use super::grouped::Grouped;
use crate::experiment::compare::records::{Dimension, OptimizerRecord, RATES};
use crate::experiment::compare::summary::{PairVerdict, Verdict};

/// The family of an optimizer, for which special cases and limits are known.
#[derive(PartialEq)]
enum OptimizerFamily {
    Sgd,
    Momentum,
    RmsProp,
    Adam,
    Other,
}

fn family(optimizer: &OptimizerRecord) -> OptimizerFamily {
    let (algorithm, options) = optimizer.spec.split_once(':').unwrap_or((&optimizer.spec, ""));
    let given: Vec<&str> = options.split(',').filter_map(|option| Some(option.split_once('=')?.0)).collect();
    // Any other fixed option, such as a weight decay, makes it a different optimizer.
    let only = |known: &[&str]| given.iter().all(|key| known.contains(key));
    match algorithm {
        "sgd" if only(&["lr"]) => OptimizerFamily::Sgd,
        "sgd" if only(&["lr", "momentum"]) => OptimizerFamily::Momentum,
        "rmsprop" if only(&["lr", "alpha", "eps"]) => OptimizerFamily::RmsProp,
        "adam" if only(&["lr", "beta1", "beta2", "eps"]) => OptimizerFamily::Adam,
        _ => OptimizerFamily::Other,
    }
}

/// Whether `special` is a special case or a limit of `general` within the searched spaces. Momentum with momentum 0 is sgd.
/// Adam with a large `eps` tends to momentum with the effective rate `lr / eps`; with β₁ = 0 it is RMSprop, except for the
/// bias correction. The space of `general` must reach as far as that of `special`, in learning rates and in momentum. Choi
/// et al. 2019, "On Empirical Comparisons of Optimizers for Deep Learning", <https://arxiv.org/abs/1910.05446>.
fn is_included(special: &OptimizerRecord, general: &OptimizerRecord) -> bool {
    let find = |of: &OptimizerRecord, name: &str| of.space.iter().find(|dimension| dimension.name == name).cloned();
    let rate = |of: &OptimizerRecord| RATES.iter().find_map(|name| find(of, name));
    let (Some(narrow), Some(wide)) = (rate(special), rate(general)) else { return false };
    let holds = |wide: &Dimension, narrow: &Dimension| {
        let slack = 1.0 + 1e-9;
        wide.low <= narrow.low * slack && wide.high * slack >= narrow.high
    };
    let none = |name: &str| find(general, name).is_some_and(|dimension| dimension.high >= 1.0);
    match (family(special), family(general)) {
        (OptimizerFamily::Sgd, OptimizerFamily::Momentum) => holds(&wide, &narrow) && none("one_minus_momentum"),
        (OptimizerFamily::Momentum, OptimizerFamily::Adam) => {
            let (Some(eps), Some(beta1)) = (find(general, "eps"), find(general, "one_minus_beta1")) else {
                return false;
            };
            let effective = Dimension { name: String::new(), low: wide.low / eps.high, high: wide.high / eps.high };
            holds(&effective, &narrow) && find(special, "one_minus_momentum").is_none_or(|m| holds(&beta1, &m))
        }
        (OptimizerFamily::RmsProp, OptimizerFamily::Adam) => {
            let same = |a: &str, b: &str| match (find(general, a), find(special, b)) {
                (Some(wide), Some(narrow)) => holds(&wide, &narrow),
                (_, narrow) => narrow.is_none(),
            };
            holds(&wide, &narrow)
                && none("one_minus_beta1")
                && same("one_minus_beta2", "one_minus_alpha")
                && same("eps", "eps")
        }
        _ => false,
    }
}

/// A sentence for each pair in which an optimizer is significantly worse than its own special case or limit.
pub(super) fn broken_inclusions<'a>(
    grouped: &Grouped<'a>,
    pairs: impl Iterator<Item = &'a Verdict> + Clone,
) -> Vec<String> {
    let better = |good: &str, bad: &str| {
        pairs.clone().any(|pair| match pair.verdict {
            PairVerdict::ABetter => (pair.a.as_str(), pair.b.as_str()) == (good, bad),
            PairVerdict::BBetter => (pair.b.as_str(), pair.a.as_str()) == (good, bad),
            PairVerdict::NoDifferenceShown | PairVerdict::CannotDecide => false,
        })
    };
    let optimizers = &grouped.protocol.optimizers;
    let all = optimizers.iter().flat_map(|general| optimizers.iter().map(move |special| (general, special)));
    all.filter(|(general, special)| is_included(special, general) && better(&special.name, &general.name))
        .map(|(general, special)| accusation(general, special))
        .collect()
}

/// The sentence for a general optimizer that is worse than its special case.
fn accusation(general: &OptimizerRecord, special: &OptimizerRecord) -> String {
    let (name, other) = (&general.name, &special.name);
    if (family(special), family(general)) == (OptimizerFamily::Momentum, OptimizerFamily::Adam) {
        return format!(
            "{name} is worse than {other}, though {other} is the limit of {name} where eps is large beside the gradients: the tuning of \
             {name} was too short, or its largest eps too small."
        );
    }
    format!(
        "{name} is worse than {other}, though {other} is a special case of it within its space: the tuning of {name} was too short."
    )
}
