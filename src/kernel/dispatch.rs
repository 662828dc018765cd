//! Run-time dispatch: an [`Isa`] is only made for instruction sets that this CPU has, and a kernel runs in the form for its
//! `Isa`.

use super::lanes::Lanes;
use super::wide::Wide;

/// An instruction set that this CPU can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Isa(Vectors);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Vectors {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Portable,
}

/// A kernel with its arguments; `run` is compiled once for each instruction set.
pub(crate) trait Job {
    /// What it returns.
    type Output;
    /// The kernel over the vector type `L`; `#[inline(always)]`, like everything it calls.
    fn run<L: Lanes>(self) -> Self::Output;
}

impl Isa {
    /// The fastest instruction set that this CPU can run.
    pub fn detect() -> Isa {
        *Isa::available().first().expect("the portable form runs everywhere")
    }

    /// All instruction sets that this CPU can run, the fastest first.
    pub fn available() -> Vec<Isa> {
        let mut forms = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            if avx2 && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") {
                forms.push(Isa(Vectors::Avx512));
            }
            if avx2 {
                forms.push(Isa(Vectors::Avx2));
            }
        }
        forms.push(Isa(Vectors::Portable));
        forms
    }

    /// The name in flags and reports: `avx512`, `avx2` or `portable`.
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Vectors::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            Vectors::Avx2 => "avx2",
            Vectors::Portable => "portable",
        }
    }

    /// Whether multiply-adds are fused. Results of fused kernels (AVX-512, AVX2) have equal bits; those of `portable` differ.
    pub fn fuses(self) -> bool {
        !matches!(self.0, Vectors::Portable)
    }

    /// Runs a kernel with this instruction set.
    #[inline]
    pub(crate) fn run<J: Job>(self, job: J) -> J::Output {
        match self.0 {
            // SAFETY: only `available` makes an `Isa` of this kind, after it found the features on this CPU.
            #[cfg(target_arch = "x86_64")]
            Vectors::Avx512 => unsafe { run_avx512(job) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Vectors::Avx2 => unsafe { run_avx2(job) },
            Vectors::Portable => job.run::<Wide>(),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx2,fma")]
fn run_avx512<J: Job>(job: J) -> J::Output {
    job.run::<super::avx512::Avx512>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_avx2<J: Job>(job: J) -> J::Output {
    job.run::<super::avx2::Avx2>()
}
