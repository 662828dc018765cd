use proptest::prelude::*;

use super::*;

fn schedule(text: &str) -> Schedule {
    text.parse().unwrap_or_else(|e| panic!("{e}"))
}

/// One of each form, with options.
const EXAMPLES: [&str; 22] = [
    "const",
    "step",
    "step:every=7,gamma=0.5,warmup=0.1",
    "multistep:at=0.1/0.5/30",
    "piecewise:at=3/20,factors=1/0.5/0",
    "exponential:gamma=0.97",
    "exponential:gamma=0.5,steps=0.25,staircase=true,warmup=5,warmup_from=0.1",
    "inverse_time:rate=0.5,steps=10",
    "linear",
    "linear:start=0.1,end=1,steps=12",
    "polynomial:power=2.5,min=0.001",
    "cosine",
    "cosine:min=0.0001,warmup=0.05",
    "cosine:steps=25,rise=true",
    "restarts:period=7,mult=2,min=0.002",
    "coslog:cycles=3",
    "flat_cos",
    "onecycle:warmup=3",
    "onecycle:rise=0.25,anneal=linear,three_phase=true,momentum=0.85/0.95",
    "cyclic:up=0.1,down=0.2,mode=triangular2",
    "cyclic:min=0,mode=exp_range,gamma=0.99,momentum=0.8/0.9",
    "plateau:patience=3,threshold_mode=abs,warmup=10",
];

#[test]
fn names_and_options_survive_a_round_trip() {
    for text in EXAMPLES {
        let parsed = schedule(text);
        assert_eq!(schedule(&parsed.to_string()), parsed, "{text}");
        assert_eq!(serde_json::from_str::<Schedule>(&serde_json::to_string(&parsed).unwrap()).unwrap(), parsed);
    }
    for name in Schedule::NAMES {
        assert!(EXAMPLES.iter().any(|text| schedule(text).to_string().split(':').next() == Some(name)), "{name}");
    }
    assert_eq!(schedule("cosine:min=0,warmup=0.05").to_string(), "cosine:warmup=0.05");
    assert_eq!(schedule("multistep:at=0.5/0.75,gamma=0.1").to_string(), "multistep");
    assert_eq!(Schedule::default().to_string(), "cosine");
}

/// Values of pytabkit's formulas: `0.5 (1 − cos(2π log₂(1 + 15 t)))`, and 1 up to the middle, then `0.5 (1 + cos(π (2t − 1)))`.
#[test]
fn cycles_that_grow_and_the_flat_cosine_are_realmlp_s() {
    let rates = |text: &str| [0, 100, 250, 500, 750, 1000].map(|step| schedule(text).rate(1.0, step, 1000));
    let expected = [0.0000000000, 0.7183546885, 0.4934892755, 0.0736189342, 0.8756577311, 0.0000000000];
    for (found, expected) in rates("coslog4").iter().zip(expected) {
        assert!((found - expected).abs() < 1e-9, "{found}, not {expected}");
    }
    assert_eq!(schedule("coslog4"), schedule("coslog:cycles=4"));
    for (found, expected) in rates("flat_cos").iter().zip([1.0, 1.0, 1.0, 1.0, 0.5, 0.0]) {
        assert!((found - expected).abs() < 1e-12, "{found}, not {expected}");
    }
}

#[test]
fn wrong_names_keys_and_values_are_refused() {
    let message = |text: &str| text.parse::<Schedule>().unwrap_err().to_string();
    assert!(message("cosin").contains("did you mean \"cosine\"?"));
    assert!(message("cosine:warm=3").contains("did you mean \"warmup\"?"));
    assert!(message("exponential").contains("needs gamma=…"));
    assert!(message("step:every=2.5").contains("or a whole number of steps, found \"2.5\""));
    assert!(message("piecewise:at=3/9,factors=1/0.5").contains("2 boundaries need 3 factors, found 2"));
    let wrong = [
        "multistep:at=3;9",
        "piecewise",
        "piecewise:at=9/3,factors=1/0.5/0.1",
        "cosine:rise=true",
        "cosine:warmup_from=0.1",
        "cosine:warmup=-1",
        "restarts:mult=0.5",
        "onecycle:three_phase=true,rise=0.6",
        "onecycle:momentum=0.9",
        "onecycle:momentum=0.9/0.8",
        "cyclic:mode=exp_range",
        "cyclic:gamma=0.9",
        "plateau:factor=1",
        "plateau:threshold=1",
        "const:every=3",
    ];
    for text in wrong {
        assert!(text.parse::<Schedule>().is_err(), "{text}");
    }
}

#[test]
fn a_rate_to_fall_to_must_be_below_the_base_rate() {
    assert!(schedule("cosine:min=0.01").check(0.1).is_ok());
    let message = schedule("cosine:min=0.2").check(0.1).unwrap_err().to_string();
    assert!(message.contains("min=0.2 is above the learning rate 0.1"), "{message}");
}

#[test]
fn the_default_falls_from_the_base_rate_to_zero() {
    let cosine = schedule("cosine");
    assert_eq!(cosine.rate(0.1, 0, 100), 0.1);
    assert!((cosine.rate(0.1, 50, 100) - 0.05).abs() < 1e-15);
    assert_eq!((cosine.rate(0.1, 100, 100), cosine.rate(0.1, 200, 100)), (0.0, 0.0));
}

#[test]
fn a_warm_up_ends_at_the_first_rate_of_what_follows() {
    let cosine = schedule("cosine:warmup=0.1");
    let rates: Vec<f64> = (0..12).map(|t| cosine.rate(1.0, t, 100)).collect();
    assert_eq!(rates[..11], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.0]);
    assert!(rates[11] < 1.0);
    assert_eq!(cosine.rate(1.0, 100, 100), 0.0);
}

#[test]
fn a_saved_plateau_goes_on_as_if_never_saved() {
    let rule = schedule("plateau:patience=1,factor=0.5,cooldown=2").plateau().unwrap();
    let metrics = [3.0, 2.0, 2.0, 2.0, f64::NAN, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0];
    let mut whole = Plateau::new(rule, 0.1, false);
    let mut saved = whole.clone();
    for metric in metrics {
        saved = serde_json::from_str(&serde_json::to_string(&saved).unwrap()).unwrap();
        assert_eq!(saved.report(metric), whole.report(metric));
    }
    assert_eq!(whole.lr(), 0.025);
}

proptest! {
    #[test]
    fn rates_are_finite_and_never_negative(
        example in 0..EXAMPLES.len(), base in 1e-6f64..10.0, step in 0u64..3000, total in 0u64..2000,
    ) {
        let schedule = schedule(EXAMPLES[example]);
        let rate = schedule.rate(base, step, total);
        prop_assert!(rate.is_finite() && rate >= 0.0, "{schedule}: {rate}");
        if let Some(momentum) = schedule.momentum(step, total) {
            prop_assert!((0.0..=1.0).contains(&momentum), "{schedule}: {momentum}");
        }
    }

    #[test]
    fn a_warm_up_never_falls(name in 0..Schedule::NAMES.len(), from in prop::option::of(0.0f64..=1.0), warmup in 1u64..50) {
        let name = Schedule::NAMES[name];
        let shape = EXAMPLES.iter().find(|e| e.split(':').next() == Some(name)).unwrap();
        let mut schedule = schedule(shape);
        (schedule.warmup, schedule.warmup_from) = (ScheduleSpan(warmup as f64), from);
        let rates: Vec<f64> = (0..=warmup).map(|t| schedule.rate(0.1, t, 100)).collect();
        prop_assert!(rates.windows(2).all(|w| w[0] <= w[1] + 1e-16), "{schedule}: {rates:?}");
    }
}
