//! Every learning-rate curve in `schedules.json`, computed by PyTorch, Keras and optax.

mod support;

use std::cell::RefCell;
use std::collections::BTreeSet;

use gradlane::optim::{Plateau, Schedule};
use serde_json::Value;
use support::*;

/// The options of a case. `assert_all_used` checks that each was read.
struct Options<'a> {
    case: &'a Value,
    asked: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Options<'a> {
    fn new(case: &'a Value) -> Self {
        Options { case, asked: RefCell::default() }
    }

    fn get(&self, key: &'static str) -> &'a Value {
        self.asked.borrow_mut().insert(key);
        &self.case["options"][key]
    }

    fn number(&self, key: &'static str) -> f64 {
        number(self.get(key))
    }

    fn text(&self, key: &'static str) -> &'a str {
        text(self.get(key))
    }

    fn assert_all_used(&self) {
        for key in self.case["options"].as_object().unwrap().keys() {
            assert!(self.asked.borrow().contains(&key[..]), "{}: unknown option {key}", self.case["name"]);
        }
    }
}

fn list_of(values: impl IntoIterator<Item = f64>) -> String {
    values.into_iter().map(|v| v.to_string()).collect::<Vec<_>>().join("/")
}

/// The schedule of a case as a user would write it, and the run's learning rate.
fn schedule_of(case: &Value) -> (Schedule, f64) {
    let o = Options::new(case);
    let (spec, base) = match text(&case["library"]) {
        "torch" => torch_cycle(&o).unwrap_or_else(|| (torch_decay(&o), number(&case["base_lr"]))),
        "keras" => keras(&o),
        "optax" => optax(&o),
        other => panic!("unknown library {other}"),
    };
    o.assert_all_used();
    (spec.parse().unwrap_or_else(|e| panic!("{}: {e}", case["name"])), base)
}

/// PyTorch's cyclic schedules, which define their own maximum rate.
fn torch_cycle(o: &Options<'_>) -> Option<(String, f64)> {
    let spec = match text(&o.case["scheduler"]) {
        "OneCycleLR" => {
            assert_eq!(o.number("total_steps"), list(o.case, "lr").len() as f64, "the run is the schedule");
            let phases = format!("rise={},three_phase={}", o.number("pct_start"), o.get("three_phase"));
            let heights = format!("div={},final_div={}", o.number("div_factor"), o.number("final_div_factor"));
            format!("onecycle:{phases},{heights},anneal={}", o.text("anneal_strategy"))
        }
        "CyclicLR" => {
            let down = o.get("step_size_down").as_f64().map(|down| format!(",down={down}")).unwrap_or_default();
            let (mode, gamma) = (o.text("mode"), o.number("gamma"));
            let gamma = if mode == "exp_range" { format!(",gamma={gamma}") } else { String::new() };
            let (min, up) = (o.number("base_lr"), o.number("step_size_up"));
            format!("cyclic:min={min},up={up}{down},mode={mode}{gamma}")
        }
        _ => return None,
    };
    Some((spec + &momentum(o), o.number("max_lr")))
}

fn torch_decay(o: &Options<'_>) -> String {
    match text(&o.case["scheduler"]) {
        "ConstantLR" => match (o.number("total_iters"), o.number("factor")) {
            (0.0, _) => "const".to_owned(),
            (steps, factor) => format!("piecewise:at={steps},factors={factor}/1"),
        },
        "StepLR" => format!("step:every={},gamma={}", o.number("step_size"), o.number("gamma")),
        "MultiStepLR" => {
            format!("multistep:at={},gamma={}", list_of(numbers(o.get("milestones"))), o.number("gamma"))
        }
        "ExponentialLR" => format!("exponential:gamma={}", o.number("gamma")),
        "CosineAnnealingLR" => format!("cosine:steps={},min={},rise=true", o.number("T_max"), o.number("eta_min")),
        "CosineAnnealingWarmRestarts" => {
            format!("restarts:period={},mult={},min={}", o.number("T_0"), o.number("T_mult"), o.number("eta_min"))
        }
        "LinearLR" => {
            let (start, end) = (o.number("start_factor"), o.number("end_factor"));
            format!("linear:start={start},end={end},steps={}", o.number("total_iters"))
        }
        "PolynomialLR" => format!("polynomial:steps={},power={}", o.number("total_iters"), o.number("power")),
        "LambdaLR" => {
            assert_eq!(o.number("total_steps"), list(o.case, "lr").len() as f64, "the run is the schedule");
            format!("cosine:warmup={}", o.number("warmup_steps"))
        }
        "SequentialLR[LinearLR, CosineAnnealingLR]" => {
            let warmup = format!("warmup={},warmup_from={}", o.number("warmup_steps"), o.number("start_factor"));
            format!("cosine:{warmup},steps={},min={},rise=true", o.number("T_max"), o.number("eta_min"))
        }
        "ReduceLROnPlateau" => {
            assert!(["min", "max"].contains(&o.text("mode")), "the metric's own direction");
            let reduction = format!("factor={},patience={}", o.number("factor"), o.number("patience"));
            let threshold = format!("threshold={},threshold_mode={}", o.number("threshold"), o.text("threshold_mode"));
            let limits =
                format!("cooldown={},min={},eps={}", o.number("cooldown"), o.number("min_lr"), o.number("eps"));
            format!("plateau:{reduction},{threshold},{limits}")
        }
        other => panic!("unknown scheduler {other}"),
    }
}

fn keras(o: &Options<'_>) -> (String, f64) {
    let base = number(&o.case["base_lr"]);
    let spec = match text(&o.case["scheduler"]) {
        "CosineDecay" => {
            let base = o.number("warmup_target");
            let (warmup, from) = (o.number("warmup_steps"), o.number("initial_learning_rate") / base);
            let (steps, min) = (o.number("decay_steps"), o.number("alpha") * base);
            return (format!("cosine:warmup={warmup},warmup_from={from},steps={steps},min={min}"), base);
        }
        name @ ("InverseTimeDecay" | "ExponentialDecay") => {
            let name = if name == "InverseTimeDecay" { "inverse_time:rate" } else { "exponential:gamma" };
            let (steps, staircase) = (o.number("decay_steps"), o.get("staircase"));
            format!("{name}={},steps={steps},staircase={staircase}", o.number("decay_rate"))
        }
        "PolynomialDecay" => {
            let (steps, min) = (o.number("decay_steps"), o.number("end_learning_rate"));
            format!("polynomial:steps={steps},min={min},power={}", o.number("power"))
        }
        "PiecewiseConstantDecay" => {
            let factors = numbers(o.get("values")).into_iter().map(|value| value / base);
            // In Keras the old value still applies at the boundary itself.
            let at = numbers(o.get("boundaries")).into_iter().map(|boundary| boundary + 1.0);
            format!("piecewise:at={},factors={}", list_of(at), list_of(factors))
        }
        other => panic!("unknown scheduler {other}"),
    };
    (spec, base)
}

fn optax(o: &Options<'_>) -> (String, f64) {
    assert_eq!(o.case["scheduler"], "warmup_cosine_decay_schedule", "unknown scheduler");
    let base = o.number("peak_value");
    let (warmup, from) = (o.number("warmup_steps"), o.number("init_value") / base);
    let steps = o.number("decay_steps") - warmup;
    (format!("cosine:warmup={warmup},warmup_from={from},steps={steps},min={}", o.number("end_value")), base)
}

fn momentum(o: &Options<'_>) -> String {
    let (low, high) = (o.number("base_momentum"), o.number("max_momentum"));
    if o.get("cycle_momentum") == true { format!(",momentum={low}/{high}") } else { String::new() }
}

/// PyTorch multiplies from step to step, which leaves rounding errors of a few ulps of the base rate.
fn assert_course(got: impl Iterator<Item = f64>, want: &Value, what: &str) {
    for (t, (got, want)) in got.zip(numbers(want)).enumerate() {
        assert!(close(got, want, 1e-12, 1e-15), "{what}[{t}]: got {got:e}, expected {want:e}");
    }
}

#[test]
fn fixture_schedules() {
    let file = fixture("schedules.json");
    let steps = count(&file["steps"]) as u64;
    for case in list(&file, "cases") {
        let (schedule, base) = schedule_of(case);
        let name = text(&case["name"]);
        assert_eq!(list(case, "lr").len() as u64, steps, "{name}");
        if let Some(rule) = schedule.plateau() {
            let mut plateau = Plateau::new(rule, base, case["options"]["mode"] == "max");
            let rates = numbers(&case["metrics"]).into_iter().enumerate().map(|(t, metric)| {
                let rate = schedule.rate(plateau.lr(), t as u64, steps);
                plateau.report(metric);
                rate
            });
            assert_course(rates, &case["lr"], name);
            continue;
        }
        assert_course((0..steps).map(|t| schedule.rate(base, t, steps)), &case["lr"], name);
        if case["momentum"].is_null() {
            assert_eq!(schedule.momentum(0, steps), None, "{name}");
        } else {
            let momentum = (0..steps).map(|t| schedule.momentum(t, steps).expect("a momentum"));
            assert_course(momentum, &case["momentum"], &format!("{name} momentum"));
        }
    }
}
