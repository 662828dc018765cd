use super::*;

#[test]
fn names_and_parameters_survive_a_round_trip() {
    let defaults = Loss::ALL.iter().map(ToString::to_string);
    let given = ["huber:delta=0.5", "focal:gamma=1.5", "focal:gamma=2,alpha=0.25"].map(str::to_owned);
    for text in defaults.chain(given) {
        let loss: Loss = text.parse().unwrap();
        assert_eq!(loss.to_string(), text);
        assert_eq!(serde_json::from_str::<Loss>(&serde_json::to_string(&loss).unwrap()).unwrap(), loss);
    }
}

#[test]
fn wrong_names_and_parameters_are_refused() {
    let message = "huber:dleta=1".parse::<Loss>().unwrap_err().to_string();
    assert!(message.contains("did you mean \"delta\"?"), "{message}");
    for text in ["hubber", "huber:delta=0", "focal:gamma=-1", "focal:alpha=2", "mse:delta=1"] {
        assert!(text.parse::<Loss>().is_err(), "{text}");
    }
    assert!(Objective::new(Loss::Mse, 0.1).is_err());
    assert!(Objective::new(Loss::Bce, 1.0).is_err());
    assert!(Objective::new(Loss::CrossEntropy, f64::NAN).is_err());
}

/// Loss and gradient of one row in `f32`.
fn row(loss: Loss, z: &[f32], class: f32) -> (f32, Vec<f32>) {
    let mut dz = vec![0.0; z.len()];
    let target: RowTarget<'_, f32, [f32]> = RowTarget::Class(class);
    (Objective::new(loss, 0.0).unwrap().row(z, &target, &mut dz[..]), dz)
}

#[test]
fn logits_of_a_thousand_stay_finite_in_f32() {
    for gamma in [0.0, 0.5, 2.0] {
        let focal = Loss::Focal { gamma, alpha: None };
        for loss in [Loss::Bce, Loss::CrossEntropy, focal] {
            for (z, class) in [(1000.0, 1.0), (1000.0, 0.0), (-1000.0, 1.0), (-1000.0, 0.0)] {
                let logits = if loss == Loss::CrossEntropy { vec![-z, z] } else { vec![z] };
                let (value, gradient) = row(loss, &logits, class);
                assert!(value.is_finite() && gradient.iter().all(|g| g.is_finite()), "{loss} at {z}, class {class}");
                let right = (z > 0.0) == (class == 1.0);
                assert_eq!(value < 1e-30, right, "{loss} at {z}, class {class}: {value}");
            }
            let (value, gradient) = row(focal, &[1000.0, -1000.0, 0.0], 1.0);
            assert_eq!(value, 2000.0);
            assert_eq!(gradient, [1.0, -1.0, 0.0]);
        }
    }
}

#[test]
fn a_class_of_one_logit_is_its_target() {
    let z = [0.75f64];
    let (mut by_class, mut by_value) = ([0.0], [0.0]);
    let bce = Objective::new(Loss::Bce, 0.1).unwrap();
    let class: RowTarget<'_, f64, [f64]> = RowTarget::Class(1.0);
    assert_eq!(
        bce.row(&z[..], &class, &mut by_class[..]),
        bce.row(&z[..], &RowTarget::Values(&[1.0][..]), &mut by_value[..])
    );
    assert_eq!(by_class, by_value);
}

#[test]
fn links_turn_logits_into_probabilities() {
    let z = [1000.0f32, -1000.0, 1000.0];
    let mut p = [0.0f32; 3];
    Loss::CrossEntropy.link(true).apply(&z[..], &mut p[..]);
    assert_eq!(p, [0.5, 0.0, 0.5]);
    Loss::Bce.link(false).apply(&z[..], &mut p[..]);
    assert_eq!(p, [1.0, 0.0, 1.0]);
    Loss::Poisson.link(false).apply(&[0.0f32, 1.0][..], &mut p[..2]);
    assert_eq!(p[..2], [1.0, std::f32::consts::E]);
}
