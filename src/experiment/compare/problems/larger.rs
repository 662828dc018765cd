//! Generated problems of the full form, with larger networks and more rows.

use super::generated::{
    GeneratedForm, ProblemStream, class_of, normal, normals, of_row, problem, shared, teacher, uniform,
};
use crate::Result;
use crate::data::Task;
use crate::experiment::compare::records::Family;
use crate::metrics::MetricName;
use crate::model::Architecture;
use crate::nn::Activation;
use crate::nn::norm::NormKind;

use super::Problem;

/// Friedman's function of ten uniform inputs, five of which are relevant:
/// `y = 10 sin(π x₀ x₁) + 20 (x₂ − ½)² + 10 x₃ + 5 x₄`, standardised, plus noise with standard deviation 0.1. Friedman 1991,
/// <https://doi.org/10.1214/aos/1176347963>.
pub fn wide(name: &'static str) -> Result<Problem> {
    const INPUTS: usize = 10;
    /// Mean and standard deviation of the function.
    const MEAN: f64 = 14.41;
    const SD: f64 = 4.87;
    let form = GeneratedForm {
        family: Family::Optimization,
        description: "Friedman's function through one hidden layer of 1,024 units",
        task: Task::Regression,
        network: Architecture::mlp(INPUTS, &[1_024], 1, Activation::Relu),
        sizes: [10_000, 1_000, 2_000],
        batch: 64,
        steps: 4_000,
        score: MetricName::Rmse,
    };
    Ok(problem(name, form, |row| {
        let rng = &mut of_row(ProblemStream::Wide, row);
        let x: Vec<f64> = (0..INPUTS).map(|_| uniform(rng)).collect();
        let waves = 10.0 * libm::sin(std::f64::consts::PI * x[0] * x[1]) + 20.0 * (x[2] - 0.5) * (x[2] - 0.5);
        let y = (waves + 10.0 * x[3] + 5.0 * x[4] - MEAN) / SD + 0.1 * normal(rng);
        (x.iter().map(|x| (x - 0.5) * 12.0_f64.sqrt()).collect(), y)
    }))
}

/// Classes from a random network, learnt by twelve layers without norms or skips.
pub fn deep(name: &'static str) -> Result<Problem> {
    const INPUTS: usize = 16;
    let form = GeneratedForm {
        family: Family::Optimization,
        description: "Five classes by the rules of a random network, through twelve plain layers of 32 units",
        task: Task::Multiclass,
        network: Architecture::mlp(INPUTS, &[32; 12], 5, Activation::Relu),
        sizes: [20_000, 1_000, 2_000],
        batch: 32,
        steps: 4_000,
        score: MetricName::Accuracy,
    };
    Ok(problem(name, form, teacher(ProblemStream::Deep, [INPUTS, 12, 5])))
}

/// Classes from another random network, learnt by four tanh layers with layer norms.
pub fn normalised(name: &'static str) -> Result<Problem> {
    const INPUTS: usize = 24;
    let form = GeneratedForm {
        family: Family::Optimization,
        description: "Eight classes by the rules of a random network, through four layers of 96 units with layer norms",
        task: Task::Multiclass,
        network: Architecture {
            norm: Some(NormKind::Layer),
            ..Architecture::mlp(INPUTS, &[96; 4], 8, Activation::Tanh)
        },
        sizes: [20_000, 1_000, 2_000],
        batch: 64,
        steps: 4_000,
        score: MetricName::Accuracy,
    };
    Ok(problem(name, form, teacher(ProblemStream::Normalised, [INPUTS, 16, 8])))
}

/// A table with the shape of Covertype: ten numbers, 44 indicator inputs of which two are set, seven classes, and 460,000
/// training rows. Of the labels, 10 % are drawn at random.
pub fn large_table(name: &'static str) -> Result<Problem> {
    const NUMBERS: usize = 10;
    const MARKS: [usize; 2] = [4, 40];
    const UNITS: usize = 16;
    const CLASSES: usize = 7;
    const NOISE: f64 = 0.1;
    const INPUTS: usize = NUMBERS + MARKS[0] + MARKS[1];
    let rng = &mut shared(ProblemStream::LargeTable);
    let hidden: Vec<Vec<f64>> = (0..UNITS).map(|_| normals(INPUTS, rng)).collect();
    let outputs: Vec<Vec<f64>> = (0..CLASSES).map(|_| normals(UNITS, rng)).collect();
    let form = GeneratedForm {
        family: Family::Noise,
        description: "Seven classes in 460,000 rows of ten numbers and 44 marks, one label in ten at random",
        task: Task::Multiclass,
        network: Architecture::mlp(INPUTS, &[128, 64], CLASSES, Activation::Relu),
        sizes: [460_000, 5_000, 10_000],
        batch: 256,
        steps: 3_000,
        score: MetricName::Accuracy,
    };
    Ok(problem(name, form, |row| {
        let rng = &mut of_row(ProblemStream::LargeTable, row);
        let mut x = normals(NUMBERS, rng);
        x.resize(INPUTS, 0.0);
        let mut from = NUMBERS;
        for marks in MARKS {
            // Lower indicators are more frequent than higher ones.
            x[from + (uniform(rng) * uniform(rng) * marks as f64) as usize] = 1.0;
            from += marks;
        }
        let best = class_of(&hidden, &outputs, &x, 0.5);
        let random = (uniform(rng) * CLASSES as f64) as usize;
        (x, if uniform(rng) < NOISE { random } else { best } as f64)
    }))
}
