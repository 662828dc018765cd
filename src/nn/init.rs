//! stub
use crate::nn::Activation;
/// x
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init { /// x
 He }
impl Init {
/// x
pub fn default_for(_: Activation) -> Init { Init::He }
/// x
pub fn weights(self, seed: u64, tensor: u64, o: usize, i: usize, _: Activation) -> Vec<f32> { use rand::RngExt; let mut r = crate::rng::stream(seed, crate::rng::Purpose::Init, tensor, 0); let b=(6.0/i as f32).sqrt(); (0..o*i).map(|_| (r.random::<f32>()*2.0-1.0)*b).collect() }
/// x
pub fn bias(self, _: u64, _: u64, o: usize, _: usize, _: Activation) -> Vec<f32> { vec![0.0;o] }
}
